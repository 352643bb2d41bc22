import type { ServiceContext } from '@skipcast/bus'
import type { StreamCommand } from '@skipcast/contracts'
import { AppError, messageOf, readFileIfThere, startLoop, type Loop, waitFor, writeFileAtomic } from '@skipcast/runtime'
import { readFile } from 'node:fs/promises'
import { epochFiles } from './adapters/epoch-files.ts'
import { feeder as silenceFeeder } from './adapters/feeder.ts'
import { icecastAdmin } from './adapters/icecast-admin.ts'
import { icecastProcess, type IcecastProcess } from './adapters/icecast-process.ts'
import { answer, type AnswerPorts } from './answer.ts'
import type { IcecastConfig } from './config.ts'
import { icecastXml } from './domain/icecast-xml.ts'
import { askServer } from './http/ask-routes.ts'
import { places } from './places.ts'
import { reconciler } from './reconcile.ts'
import { sessionLog } from './session-log.ts'
import { settling as settlingOf } from './settling.ts'
import { icecastTelemetry } from './telemetry.ts'
import { wantedChannels, type WantedChannels } from './wanted-channels.ts'

export { icecastEnv, type IcecastConfig } from './config.ts'

const LOOPBACK = '127.0.0.1'
const PASS_EVERY_MS = 5000
const FIRST_ANSWER_MS = 10_000

export interface IcecastOverrides {
  readonly now?: () => number
  readonly passEveryMs?: number
}

/**
 * Runs icecast2 and everything about it that is not audio:
 *
 *   streamCommands ─► reconcile ─► feeder ──silence──► icecast2 ◄── engines, listeners
 *                         └──────► admin calls ───────►   │
 *   userInteractions ◄─ sessions ◄─ answer ◄─ questions ──┘
 *
 * Returns once icecast2 answers, or after 10 s anyway; the bus may be away. Rejects with PROGRAM_MISSING,
 * CONFIG_INVALID or PORT_TAKEN.
 */
export async function startIcecast(
  config: IcecastConfig,
  context: ServiceContext,
  overrides: IcecastOverrides = {},
): Promise<AsyncDisposable> {
  await using owned = new AsyncDisposableStack()
  const telemetry = icecastTelemetry(context.logger)
  const reportIcecast = (problem: string | null) => context.health.report('icecast2', problem)
  await warnOfFewFiles(config, telemetry.tooFewFiles)
  const own = await places(context.home, config)
  let icecast: IcecastProcess | undefined
  let loop: Loop | undefined

  const view = owned.use(context.bus.watch('streamCommands'))
  const lastKnown = await readFileIfThere(own.snapshotFile)
  const wanted = wantedChannels(view, { lastKnown, defaultBitrateKbps: config.silence.bitrateKbps })

  const inner = { host: LOOPBACK, port: own.innerPort }
  const admin = icecastAdmin({ ...inner, user: config.adminUser, password: own.adminPassword })
  const feeder = owned.use(silenceFeeder({ ...inner, sampleRate: config.silence.sampleRate, telemetry }))
  const settling = settlingOf(admin, feeder, telemetry)
  const runId = () => icecast?.runId() ?? ''
  const sessions = owned.use(sessionLog({ ...context, runId, now: overrides.now ?? Date.now, telemetry }))

  const { signingKey } = own
  const [epochs, waitedOut] = [epochFiles(own.epochs), new WeakSet<StreamCommand>()]
  const ports: AnswerPorts = { signingKey, admin, epochs, feeder, settling, sessions, commands: wanted, waitedOut, telemetry }
  const questions = askServer({ secret: own.askSecret, answer: (question, signal) => answer(ports, question, signal), telemetry })
  owned.defer(() => questions.close())
  await questions.listen({ host: LOOPBACK, port: own.askPort }).catch((cause: unknown) => {
    throw new AppError('PORT_TAKEN', `Port ${own.askPort}, on which Icecast asks its questions, is taken by another program.`, {
      cause,
    })
  })

  const untilAnswered = () =>
    waitFor('Icecast to answer', () => admin.mounts(), { timeoutMs: FIRST_ANSWER_MS, everyMs: 10 }).catch((error: unknown) =>
      reportIcecast(messageOf(error)),
    )
  const askUrl = `http://${LOOPBACK}:${own.askPort}/ice/${own.askSecret}`
  icecast = owned.use(
    await icecastProcess({
      binary: config.binary,
      xml: icecastXml({ ...config, ...own, askUrl, logDirectory: own.child }),
      directory: own.child,
      identityFile: own.identityFile,
      user: own.user,
      bind: config.bind,
      port: config.port,
      onStop: context.onStop,
      telemetry,
      onStarted: () => void untilAnswered().then(() => loop?.nudge()),
    }),
  )
  await untilAnswered()

  const reconcile = reconciler({ wanted, admin, feeder, settling, telemetry, reportIcecast })
  const save = snapshotKeeper(wanted, own.snapshotFile, lastKnown)
  const pass = () => reconcile().finally(save)
  const everyMs = overrides.passEveryMs ?? PASS_EVERY_MS
  loop = owned.use(startLoop(pass, { everyMs, onError: (error) => telemetry.passFailed(messageOf(error)) }))
  owned.defer(view.onChange(() => loop?.nudge()))
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

/** Node has raised its own limit as far as it may, and children inherit that; more only the system's settings can give. */
async function warnOfFewFiles(config: IcecastConfig, warn: (has: number, wants: number) => void): Promise<void> {
  const wants = config.maxListeners + config.maxSources
  const has = Number(/^Max open files +(\d+)/m.exec(await readFile('/proc/self/limits', 'utf8'))?.[1] ?? Infinity)
  if (has < wants) warn(has, wants)
}
