import {
  AppError,
  backoff,
  findDaemon,
  messageOf,
  portIsFree,
  runCommand,
  startDaemon,
  startLoop,
  stopDaemon,
  writeFileAtomic,
  type ChildUser,
  type Daemon,
} from '@skipcast/runtime'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { isOlder, OLDEST_ICECAST, readVersion } from '../domain/version.ts'
import type { Telemetry } from '../telemetry.ts'

const LOOK_EVERY_MS = 250
const RESTART = { firstMs: 250, mostMs: 10_000 }
/** After running for so long, the next death is a new story. */
const STEADY_AFTER_MS = 30_000
const STOP_GRACE_MS = 5000

export interface IcecastProcessOptions {
  readonly binary: string
  readonly xml: string
  /** Belongs to the user that icecast2 runs as; configuration and logs lie here. */
  readonly directory: string
  /** Lies where that user can't write. */
  readonly identityFile: string
  readonly user: ChildUser | undefined
  readonly bind: string
  readonly port: number
  readonly onStop: 'stop' | 'hand-over'
  readonly telemetry: Telemetry
  readonly onStarted: () => void
}

export interface IcecastProcess extends AsyncDisposable {
  /** Names this run of icecast2: the same for an adopted one, another after each start. */
  runId(): string
}

/**
 * Keeps one icecast2 running with this configuration. One that runs already with the same configuration is adopted, with all its
 * listeners; one with another is replaced. Disposing ends it, or leaves it to the next process (`hand-over`).
 * Rejects with PROGRAM_MISSING, CONFIG_INVALID (too old a version) or PORT_TAKEN; later failures to start are retried.
 */
export async function icecastProcess(options: IcecastProcessOptions): Promise<IcecastProcess> {
  const { binary, xml, directory, identityFile, user, telemetry } = options
  await requireVersion(binary)
  const configFile = join(directory, 'icecast.xml')
  const tag = createHash('sha256').update(`${binary}\n${xml}`).digest('base64url')

  const start = async (): Promise<Daemon> => {
    if (!(await portIsFree(options.port, options.bind))) throw portTaken(options.port)
    await writeFileAtomic(configFile, xml, { owner: user })
    const started = await startDaemon({
      program: binary,
      args: ['-c', configFile],
      cwd: directory,
      logFile: join(directory, 'output.log'),
      identityFile,
      tag,
      user,
    })
    telemetry.started(started.pid)
    options.onStarted()
    return started
  }
  const adopt = async (): Promise<Daemon | null> => {
    const found = await findDaemon(identityFile)
    if (found?.tag === tag) {
      telemetry.adopted(found.pid)
      return found
    }
    if (found) {
      await stopDaemon(found, { identityFile, graceMs: STOP_GRACE_MS })
      telemetry.replaced(found.pid)
    }
    return null
  }

  let daemon = (await adopt()) ?? (await start())
  let startedAt = performance.now()
  let startAgainAt: number | null = null
  const waits = backoff(RESTART)

  async function look(): Promise<void> {
    if (await findDaemon(identityFile)) {
      if (performance.now() - startedAt > STEADY_AFTER_MS) waits.reset()
      return
    }
    if (startAgainAt === null) {
      const waitMs = waits.next()
      startAgainAt = performance.now() + waitMs
      telemetry.died(daemon.pid, waitMs)
    }
    if (performance.now() < startAgainAt) return
    startAgainAt = null
    daemon = await start()
    startedAt = performance.now()
  }
  const loop = startLoop(look, { everyMs: LOOK_EVERY_MS, onError: (error) => telemetry.notStarted(messageOf(error)) })

  return {
    runId: () => createHash('sha256').update(`${daemon.pid}:${daemon.startTime}`).digest('base64url').slice(0, 16),
    async [Symbol.asyncDispose]() {
      await loop[Symbol.asyncDispose]()
      if (options.onStop === 'stop') await stopDaemon(daemon, { identityFile, graceMs: STOP_GRACE_MS })
    },
  }
}

async function requireVersion(binary: string): Promise<void> {
  const { stdout } = await runCommand(binary, ['-v'], { timeoutMs: 5000 })
  const version = readVersion(stdout.toString())
  if (version && !isOlder(version, OLDEST_ICECAST)) return
  const [found, oldest] = [version?.join('.') ?? 'of unknown version', OLDEST_ICECAST.join('.')]
  throw new AppError(
    'CONFIG_INVALID',
    `${binary} is Icecast ${found}, but it must be ${oldest} or newer. Set ICECAST_BIN to another one.`,
  )
}

function portTaken(port: number): AppError {
  return new AppError(
    'PORT_TAKEN',
    `Port ${port} for Icecast is taken by another program. End that, or set ICECAST_PORT to a free one.`,
  )
}
