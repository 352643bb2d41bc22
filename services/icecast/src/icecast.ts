import type { ServiceContext } from '@skipcast/bus'
import {
  AppError,
  childUser,
  makeDirectory,
  messageOf,
  readFileIfThere,
  startLoop,
  type Loop,
  waitFor,
  writeFileAtomic,
} from '@skipcast/runtime'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { epochFiles } from './adapters/epoch-files.ts'
import { feeder as silenceFeeder } from './adapters/feeder.ts'
import { icecastAdmin } from './adapters/icecast-admin.ts'
import { icecastProcess, type IcecastProcess } from './adapters/icecast-process.ts'
import { answer, type AnswerPorts } from './answer.ts'
import type { IcecastConfig } from './config.ts'
import { icecastXml } from './domain/icecast-xml.ts'
import { askServer } from './http/ask-routes.ts'
import { reconciler } from './reconcile.ts'
import { sessionLog } from './session-log.ts'
import { settling as settlingOf } from './settling.ts'
import { icecastTelemetry } from './telemetry.ts'
import { wantedChannels } from './wanted-channels.ts'

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
  const { home } = context
  const reportIcecast = (problem: string | null) => context.health.report('icecast2', problem)
  await warnOfFewFiles(config, telemetry.tooFewFiles)

  const user = childUser()
  const ownDirectory = await home.directory('icecast', { mode: 0o711 })
  const childDirectory = await home.directory('icecast/icecast2', { owner: user })
  const webroot = await makeDirectory(join(childDirectory, 'empty'), { owner: user })
  const snapshotFile = join(ownDirectory, 'wanted.json')
  const innerPort = await home.port('icecast-inner')
  const askPort = await home.port('icecast-ask')
  const askSecret = await home.secret('icecast-ask')
  const adminPassword = config.adminPassword ?? (await home.secret('icecast-admin'))

  let icecast: IcecastProcess | undefined
  let loop: Loop | undefined

  const view = owned.use(context.bus.watch('streamCommands'))
  const lastKnown = await readFileIfThere(snapshotFile)
  const wanted = wantedChannels(view, { lastKnown, defaultBitrateKbps: config.silence.bitrateKbps })

  const inner = { host: LOOPBACK, port: innerPort }
  const admin = icecastAdmin({ ...inner, user: config.adminUser, password: adminPassword })
  const feeder = owned.use(silenceFeeder({ ...inner, sampleRate: config.silence.sampleRate, telemetry }))
  const settling = settlingOf(admin, feeder, telemetry)
  const sessions = owned.use(
    sessionLog({ ...context, runId: () => icecast?.runId() ?? '', now: overrides.now ?? Date.now, telemetry }),
  )

  const ports: AnswerPorts = {
    signingKey: config.signingKey ?? (await home.secret('source-signing-key')),
    admin,
    epochs: epochFiles(await home.directory('icecast/epochs')),
    feeder,
    settling,
    sessions,
    commands: wanted,
    waitedOut: new WeakSet(),
    telemetry,
  }
  const questions = askServer({ secret: askSecret, answer: (question, signal) => answer(ports, question, signal), telemetry })
  owned.defer(() => questions.close())
  await questions.listen({ host: LOOPBACK, port: askPort }).catch((cause: unknown) => {
    throw new AppError('PORT_TAKEN', `Port ${askPort}, on which Icecast asks its questions, is taken by another program.`, {
      cause,
    })
  })

  const untilAnswered = () =>
    waitFor('Icecast to answer', () => admin.mounts(), { timeoutMs: FIRST_ANSWER_MS, everyMs: 10 }).catch((error: unknown) =>
      reportIcecast(messageOf(error)),
    )
  const xml = icecastXml({
    ...config,
    innerPort,
    adminPassword,
    askUrl: `http://${LOOPBACK}:${askPort}/ice/${askSecret}`,
    logDirectory: childDirectory,
    webroot,
  })
  icecast = owned.use(
    await icecastProcess({
      binary: config.binary,
      xml,
      directory: childDirectory,
      identityFile: join(ownDirectory, 'icecast2.json'),
      user,
      bind: config.bind,
      port: config.port,
      onStop: context.onStop,
      telemetry,
      onStarted: () => void untilAnswered().then(() => loop?.nudge()),
    }),
  )
  await untilAnswered()

  const reconcile = reconciler({ wanted, admin, feeder, settling, telemetry, reportIcecast })
  let saved = lastKnown
  const pass = async () => {
    await reconcile()
    const snapshot = wanted.snapshot()
    if (!wanted.isComplete || snapshot === saved) return
    await writeFileAtomic(snapshotFile, snapshot)
    saved = snapshot
  }
  loop = owned.use(
    startLoop(pass, {
      everyMs: overrides.passEveryMs ?? PASS_EVERY_MS,
      onError: (error) => telemetry.passFailed(messageOf(error)),
    }),
  )
  owned.defer(view.onChange(() => loop?.nudge()))
  return owned.move()
}

/** Node has raised its own limit as far as it may, and children inherit that; more only the system's settings can give. */
async function warnOfFewFiles(config: IcecastConfig, warn: (has: number, wants: number) => void): Promise<void> {
  const wants = config.maxListeners + config.maxSources
  const has = Number(/^Max open files +(\d+)/m.exec(await readFile('/proc/self/limits', 'utf8'))?.[1] ?? Infinity)
  if (has < wants) warn(has, wants)
}
