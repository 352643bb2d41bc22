import {
  backoff,
  findDaemon,
  messageOf,
  retagDaemon,
  signalProcess,
  startDaemon,
  startLoop,
  stopDaemon,
  type ChildUser,
  type Daemon,
} from '@skipcast/runtime'
import { join } from 'node:path'
import { patience } from '../domain/patience.ts'
import type { Program, Telemetry } from '../telemetry.ts'
import { limitLog } from './limit-log.ts'

const LOOK_EVERY_MS = 250
/** How often it is looked whether it shall run with something else now, and how long its log has become. */
const REVIEW_EVERY_MS = 5000
const RESTART = { firstMs: 250, mostMs: 10_000 }
/** After running for so long, the next death is a new story. */
const STEADY_AFTER_MS = 30_000
const STOP_GRACE_MS = 5000
const ASK_EVERY_MS = 1000
/** An answer is waited for a second at most (`answers`), so being asked takes no longer than this. */
const ASKED_LATE_MS = 4000
const FROZEN_AFTER_MS = 10_000
/** Icecast 2.4 may crash over a connection in its first moment. */
const ALONE_MS = 3000

/** What a program is to run with. */
export interface Setting {
  /** Differs from that of every other setting. */
  readonly tag: string
  /**
   * Writes what the program reads, before it is started (`running` is null) or told to read it again (`running` is the tag of what it
   * runs with). Rejects when it should not even be tried, with PORT_TAKEN or CONFIG_INVALID.
   */
  prepare(running: string | null): Promise<void>
}

export interface KeptDaemonOptions {
  readonly name: Program
  readonly program: string
  readonly args: readonly string[]
  readonly setting: () => Promise<Setting>
  /** Makes it take over a new setting while it runs. Without it, such a program is replaced. */
  readonly reloadSignal?: NodeJS.Signals
  /** Belongs to the user that it runs as; what it reads and logs lies here. */
  readonly directory: string
  readonly logMaxBytes: number
  /** Lies where that user can't write. */
  readonly identityFile: string
  readonly user: ChildUser | undefined
  readonly onStop: 'stop' | 'hand-over'
  readonly telemetry: Telemetry
  /** Whether it answers, told within a second. One that does not for ten is ended, and started again. Without it, living is enough. */
  readonly answers?: () => Promise<boolean>
  /** Called after each start. */
  readonly onStarted?: () => void
}

/**
 * Keeps one program running. One that runs already with the same setting is adopted, with all its connections; one with another takes
 * the new one over if it can, or is replaced. Disposing ends it, or leaves it to the next process (`hand-over`).
 * Rejects with PROGRAM_MISSING or what `prepare` rejects with; failures after the first start are retried.
 */
export async function keptDaemon(options: KeptDaemonOptions): Promise<AsyncDisposable> {
  const { name, directory, identityFile, telemetry } = options
  const logFile = join(directory, 'output.log')
  const waits = backoff(RESTART)

  const start = async (setting: Setting): Promise<Daemon> => {
    await setting.prepare(null)
    const { program, args, user } = options
    const started = await startDaemon({ program, args, cwd: directory, logFile, identityFile, tag: setting.tag, user })
    telemetry.started(name, started.pid)
    options.onStarted?.()
    return started
  }
  const update = async (running: Daemon, setting: Setting): Promise<Daemon> => {
    if (!options.reloadSignal) {
      await stopDaemon(running, { identityFile, graceMs: STOP_GRACE_MS })
      telemetry.replaced(name, running.pid)
      return start(setting)
    }
    await setting.prepare(running.tag)
    signalProcess(running, options.reloadSignal)
    telemetry.reloaded(name, running.pid)
    return retagDaemon(running, { identityFile, tag: setting.tag })
  }
  const bring = async (running: Daemon | null): Promise<Daemon> => {
    const setting = await options.setting()
    if (!running) return start(setting)
    return running.tag === setting.tag ? running : update(running, setting)
  }

  const found = await findDaemon(identityFile)
  let daemon = await bring(found)
  if (daemon === found) telemetry.adopted(name, daemon.pid)
  let startedAt = performance.now()
  let reviewAt = startedAt + REVIEW_EVERY_MS
  let startAgainAt: number | null = null

  async function look(): Promise<void> {
    const running = await findDaemon(identityFile)
    if (running) return review(running)
    if (startAgainAt === null) {
      const waitMs = waits.next()
      startAgainAt = performance.now() + waitMs
      telemetry.died(name, daemon.pid, waitMs)
    }
    if (performance.now() < startAgainAt) return
    startAgainAt = null
    startedAt = performance.now() // from now on it is left alone
    daemon = await bring(null)
    startedAt = performance.now()
  }
  async function review(running: Daemon): Promise<void> {
    if (performance.now() - startedAt > STEADY_AFTER_MS) waits.reset()
    if (performance.now() < reviewAt) return
    reviewAt = performance.now() + REVIEW_EVERY_MS
    await limitLog(logFile, options.logMaxBytes)
    daemon = await bring(running)
  }
  const loop = startLoop(look, { everyMs: LOOK_EVERY_MS, onError: (error) => telemetry.notKept(name, messageOf(error)) })

  const { answers } = options
  const waiting = patience({ limitMs: FROZEN_AFTER_MS, lateMs: ASKED_LATE_MS })
  const endFrozen = async () => {
    const asked = daemon
    // While it starts it is left alone, and the time before is not its own.
    if (performance.now() - startedAt < ALONE_MS) return
    const isOver = waiting.note(await answers!(), performance.now())
    if (!isOver || daemon !== asked || performance.now() - startedAt < FROZEN_AFTER_MS) return
    if (signalProcess(asked, 'SIGKILL')) telemetry.frozen(name, asked.pid)
  }
  const watch =
    answers && startLoop(endFrozen, { everyMs: ASK_EVERY_MS, onError: (error) => telemetry.notKept(name, messageOf(error)) })

  return {
    async [Symbol.asyncDispose]() {
      await watch?.[Symbol.asyncDispose]()
      await loop[Symbol.asyncDispose]()
      if (options.onStop === 'stop') await stopDaemon(daemon, { identityFile, graceMs: STOP_GRACE_MS })
    },
  }
}
