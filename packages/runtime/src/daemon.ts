import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { readdir, readFile, rm } from 'node:fs/promises'
import type { ChildUser } from './child-user.ts'
import { AppError } from './errors.ts'
import { giveTo, writeFileAtomic } from './files.ts'
import { identify, isAlive, signalProcess, type ProcessIdentity } from './process-identity.ts'
import { waitFor } from './wait-for.ts'

/** A process that outlives the one that started it, found again by a file that holds its identity. */
export interface Daemon extends ProcessIdentity {
  /** Whatever the starter wants to know when it finds the process again, e.g. a hash of its configuration. */
  readonly tag: string
}

export interface DaemonCommand {
  readonly program: string
  readonly args: readonly string[]
  readonly cwd: string
  /** Standard output and error go to this file (appended): a pipe would end with its reader, and the child with the pipe. */
  readonly logFile: string
  readonly identityFile: string
  readonly tag: string
  readonly user?: ChildUser | undefined
  readonly env?: Readonly<Record<string, string>>
}

/** What an identity file holds between the wish to start and the process: the mark by which the process can be told if we die there. */
interface Intent {
  readonly starting: string
  readonly tag: string
}

const MARK = 'SKIPCAST_DAEMON'

/**
 * Starts a program detached, in a session of its own, with no descriptors of ours but its log file, and writes its identity (0600).
 * Killed at any moment, we leave no process that `findDaemon` would not find.
 * Resolves once the process exists; whether it serves is for the caller to see. Rejects with PROGRAM_MISSING.
 */
export async function startDaemon(command: DaemonCommand): Promise<Daemon> {
  const intent: Intent = { starting: randomUUID(), tag: command.tag }
  await writeFileAtomic(command.identityFile, JSON.stringify(intent))
  const log = openSync(command.logFile, 'a', 0o600)
  giveTo(command.user, command.logFile)
  const child = spawn(command.program, command.args, {
    cwd: command.cwd,
    detached: true,
    stdio: ['ignore', log, log],
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LANG: 'C.UTF-8', ...command.env, [MARK]: intent.starting },
    ...(command.user && { uid: command.user.uid, gid: command.user.gid }),
  })
  const started = await new Promise<ProcessIdentity>((resolve, reject) => {
    child.once('error', reject)
    child.once('spawn', () => resolve(identify(child.pid!) ?? { pid: child.pid!, startTime: 'gone' }))
  })
    .catch(async (cause: unknown) => {
      await rm(command.identityFile, { force: true })
      throw new AppError('PROGRAM_MISSING', `${command.program} could not be started`, { cause })
    })
    .finally(() => closeSync(log))
  child.unref()
  const daemon = { ...started, tag: command.tag }
  await writeFileAtomic(command.identityFile, JSON.stringify(daemon))
  return daemon
}

/**
 * The living process that an identity file speaks of, or null. Whoever keeps a daemon asks a few times a second: handing the reading of
 * these hundred bytes to a thread and back would cost ten times as much as reading them.
 */
export async function findDaemon(identityFile: string): Promise<Daemon | null> {
  try {
    const found = JSON.parse(readFileSync(identityFile, 'utf8')) as Daemon | Intent
    if ('starting' in found) {
      const started = await oldestMarked(`${MARK}=${found.starting}`)
      return started && { ...started, tag: found.tag }
    }
    return isAlive(found) ? found : null
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== undefined && code !== 'ENOENT') throw error
    return null // no file; or torn by a full disk, which is as good as none
  }
}

/** Notes that a daemon runs with something else now, which it took over without a restart. */
export async function retagDaemon(daemon: Daemon, options: { identityFile: string; tag: string }): Promise<Daemon> {
  const changed = { ...daemon, tag: options.tag }
  await writeFileAtomic(options.identityFile, JSON.stringify(changed))
  return changed
}

/** TERM (or `signal`), wait up to `graceMs`, KILL; resolves once the process is gone and its identity file too. */
export async function stopDaemon(
  daemon: ProcessIdentity,
  options: { identityFile: string; graceMs: number; signal?: NodeJS.Signals },
): Promise<void> {
  signalProcess(daemon, options.signal ?? 'SIGTERM')
  const gone = () => !isAlive(daemon)
  await waitFor('the process to end', gone, { timeoutMs: options.graceMs, everyMs: 10 }).catch(async () => {
    signalProcess(daemon, 'SIGKILL')
    await waitFor('the killed process to end', gone, { timeoutMs: 5000, everyMs: 10 })
  })
  await rm(options.identityFile, { force: true })
}

/** The process that was started with this in its environment; its own children inherit that, and are younger. */
async function oldestMarked(mark: string): Promise<ProcessIdentity | null> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const marked = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '') // gone, or another user's
      return environment.split('\0').includes(mark) ? identify(Number(pid)) : null
    }),
  )
  const ticks = ({ startTime }: ProcessIdentity) => Number(startTime.split(':').at(-1))
  const byAge = marked.filter((each) => each !== null).toSorted((one, other) => ticks(one) - ticks(other) || one.pid - other.pid)
  return byAge[0] ?? null
}
