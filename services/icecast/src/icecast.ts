import type { ServiceContext } from '@skipcast/bus'
import { AppError, messageOf, readFileIfThere, startLoop, type Loop, waitFor, writeFileAtomic } from '@skipcast/runtime'
import { setTimeout as sleep } from 'node:timers/promises'
import { epochFiles } from './adapters/epoch-files.ts'
import { feeder as silenceFeeder } from './adapters/feeder.ts'
import { icecastAdmin } from './adapters/icecast-admin.ts'
import { icecastProcess } from './adapters/icecast-process.ts'
import { limitMap } from './adapters/limit-map.ts'
import { mountEars } from './adapters/mount-ear.ts'
import { mountMap } from './adapters/mount-map.ts'
import { sessionReports } from './adapters/session-reports.ts'
import type { IcecastConfig } from './config.ts'
import { OWN_DOOR } from './domain/doors.ts'
import { LIMITS_FILE, MAP_FILE } from './domain/front-config.ts'
import { startFront } from './front.ts'
import { icecastXml } from './domain/icecast-xml.ts'
import { askServer } from './http/ask-routes.ts'
import { mostConnections } from './limits.ts'
import { mountKeeper } from './mount-keeper.ts'
import { places } from './places.ts'
import { sessionLog } from './session-log.ts'
import { icecastTelemetry } from './telemetry.ts'
import type { WantedChannels } from './wanted-channels.ts'

export { icecastEnv, type IcecastConfig } from './config.ts'
export { FIRST_UNKNOWN_ICECAST, OLDEST_ICECAST } from './domain/version.ts'

const LOOPBACK = '127.0.0.1'
const PASS_EVERY_MS = 5000
const FIRST_ANSWER_MS = 10_000
/**
 * Icecast 2.4.4 counts connections before its thread for counts has begun, and dies of it (a null name in its statistics) in about 2 of 100 starts
 * with somebody at the door. Whoever comes through the front may still do that to it; then it is started once more.
 */
const LEFT_ALONE_MS = 150

export interface IcecastOverrides {
  readonly now?: () => number
  readonly passEveryMs?: number
  readonly guardForMs?: number
  readonly emptyForMs?: number
}

/**
 * Runs icecast2, the front before it, and everything about them that is not audio:
 *
 *   streamCommands ─► reconcile ─► feeder ──silence──► icecast2 ◄── front (HAProxy) ◄── engines, listeners
 *                         ├──────► admin calls ───────►   │               ▲
 *                         └──────► which mount ────────── │ ──────────────┘
 *   userInteractions ◄─ sessions ◄─ answer ◄─ questions ──┘
 *
 * Returns once icecast2 and the front answer, or after 10 s anyway; the bus may be away. Rejects with PROGRAM_MISSING,
 * CONFIG_INVALID or PORT_TAKEN.
 */
export async function startIcecast(
  config: IcecastConfig,
  context: ServiceContext,
  overrides: IcecastOverrides = {},
): Promise<AsyncDisposable> {
  await using owned = new AsyncDisposableStack()
  const telemetry = icecastTelemetry(context.logger, context.meters)
  const reportIcecast = (problem: string | null) => context.health.report('icecast2', problem)
  const maxConnections = await mostConnections(config, telemetry.tooFewFiles)
  const own = await places(context.home, config)
  let loop: Loop | undefined

  const view = owned.use(context.bus.watch('streamCommands'))
  const lastKnown = await readFileIfThere(own.snapshotFile)

  const inner = { host: OWN_DOOR, port: own.innerPort }
  const admin = icecastAdmin({ ...inner, user: config.adminUser, password: own.adminPassword })
  const feeder = owned.use(silenceFeeder({ ...inner, sampleRate: config.silence.sampleRate, telemetry }))
  const signposts = owned.use(await mountMap({ directory: own.front, user: own.user, telemetry }))
  const limits = await limitMap({ directory: own.front, user: own.user, telemetry })
  const keeper = mountKeeper(
    {
      commands: view,
      admin,
      feeder,
      signposts,
      limits,
      openEar: mountEars(inner),
      epochs: epochFiles(own.epochs),
      telemetry,
      reportIcecast,
    },
    {
      signingKey: own.signingKey,
      lastKnown,
      defaultBitrateKbps: config.silence.bitrateKbps,
      guardForMs: overrides.guardForMs,
      emptyForMs: overrides.emptyForMs,
      today: overrides.now,
    },
  )
  const { wanted } = keeper
  const now = overrides.now ?? Date.now
  const sessions = owned.use(
    sessionLog({ ...context, commandAt: (mount) => wanted.at(mount), secret: own.pseudonymSecret, now, telemetry }),
  )
  owned.use(
    await sessionReports({
      host: LOOPBACK,
      port: own.askPort,
      secret: own.sessionSecret,
      onReport: (report) => sessions.ended(report),
    }),
  )

  const questions = askServer({ secret: own.askSecret, answer: (question, signal) => keeper.answer(question, signal), telemetry })
  owned.defer(() => questions.close())
  await questions.listen({ host: LOOPBACK, port: own.askPort }).catch((cause: unknown) => {
    throw new AppError('PORT_TAKEN', `Port ${own.askPort}, on which Icecast asks its questions, is taken by another program.`, {
      cause,
    })
  })

  let askFrom = 0
  const untilAnswered = async () => {
    await sleep(Math.max(0, askFrom - performance.now()))
    const limits = { timeoutMs: FIRST_ANSWER_MS, everyMs: 10 }
    await waitFor('Icecast to answer', () => admin.mounts(), limits).catch((error: unknown) => reportIcecast(messageOf(error)))
  }
  const askUrl = `http://${LOOPBACK}:${own.askPort}/ice/${own.askSecret}`
  const common = { user: own.user, logMaxBytes: config.logMaxKb * 1024, onStop: context.onStop, telemetry }
  owned.use(
    await icecastProcess({
      ...common,
      binary: config.binary,
      xml: icecastXml({ ...config, ...own, askUrl, logDirectory: own.child }),
      directory: own.child,
      identityFile: own.identityFile,
      port: own.innerPort,
      onStarted() {
        askFrom = performance.now() + LEFT_ALONE_MS
        void untilAnswered().then(() => loop?.nudge())
      },
    }),
  )
  await untilAnswered()

  const { health } = context
  const maps = () => ({ [MAP_FILE]: signposts.text(), [LIMITS_FILE]: limits.text() })
  const front = owned.use(await startFront(config, { ...common, own, maxConnections, health, maps }))

  const save = snapshotKeeper(wanted, own.snapshotFile, lastKnown)
  const pass = async () => {
    await front.look()
    await keeper.pass().finally(save)
  }
  const everyMs = overrides.passEveryMs ?? PASS_EVERY_MS
  loop = owned.use(startLoop(pass, { everyMs, onError: (error) => telemetry.passFailed(messageOf(error)) }))
  owned.defer(view.onChange(() => loop?.nudge()))
  owned.use(keeper) // last, so that it does not act on what ends after it
  return owned.move()
}

/** Writes what is wanted to disk when it has changed, once all of it is known. */
function snapshotKeeper(wanted: WantedChannels, file: string, lastKnown: string | null): () => Promise<void> {
  let saved = lastKnown
  return async () => {
    const snapshot = wanted.snapshot()
    if (!wanted.isComplete || snapshot === saved) return
    await writeFileAtomic(file, snapshot)
    saved = snapshot
  }
}
