import { randomBytes } from 'node:crypto'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  AppError,
  findDaemon,
  isAppError,
  makeDirectory,
  startDaemon,
  stopDaemon,
  waitFor,
  type ChildUser,
} from '@skipcast/runtime'
import type { Engine } from '../domain/engine.ts'
import type { EngineHost } from '../ports.ts'
import { engineFiles, makeEngineDirectories, plannedRecords, removePlan, trimLogs, writePlan } from './engine-files.ts'
import { engineScripts } from './engine-script.ts'
import { engineHandle, type EngineHandle } from './engine-handle.ts'
import { limitEngine, residentBytes, type EngineLimits } from './engine-limits.ts'
import { addArgument, command } from './hub-command.ts'

const START_TIMEOUT_MS = 10_000
const STOP_GRACE_MS = 3000
const MAX_LOG_BYTES = 8 * 1024 * 1024
/** Memory that removed channels leave is collected after so many. */
const REMOVALS_PER_COLLECTION = 20

export interface LocalHostOptions {
  /** Below the home; made by the host. Others may pass through it. */
  readonly directory: string
  /** The folder of the engine's script, in its parts. */
  readonly scripts: string
  readonly program: string
  readonly logLevel: number
  readonly limits: EngineLimits
  readonly icecast: { readonly host: string; readonly port: number }
  /** The user that engines run as; undefined: our own. */
  readonly owner: ChildUser | undefined
  /** Where a file that is played lies: an absolute path that the engines' user can read. */
  readonly pathOf: (sha256: string) => string
}

/** Engines as detached processes of this machine. They outlive this process; the next one finds them by their files. */
export async function localHost(options: LocalHostOptions): Promise<EngineHost> {
  const { owner } = options
  await makeDirectory(options.directory, { mode: 0o711 })
  const root = await makeDirectory(join(options.directory, 'engines'), { mode: 0o711 })
  const scripts = engineScripts({ ...options, sources: options.scripts, directory: join(options.directory, 'scripts') })
  void scripts.current().catch(() => {}) // asked for early; the first start tells what is wrong
  const handles = new Map<string, EngineHandle>()
  const starting = new Set<string>()
  const listeners = new Set<() => void>()
  let removals = 0

  const changed = () => {
    for (const listener of listeners) listener()
  }
  const handleOf = (engineId: string): EngineHandle => {
    const handle = handles.get(engineId) ?? engineHandle(engineFiles(root, engineId), changed)
    handles.set(engineId, handle)
    return handle
  }
  const letGo = (engineId: string) => {
    handles.get(engineId)?.[Symbol.dispose]()
    handles.delete(engineId)
  }
  const clear = async (engineId: string) => {
    letGo(engineId)
    await rm(engineFiles(root, engineId).directory, { recursive: true, force: true })
  }

  const look = async (engineId: string): Promise<Engine> => {
    const handle = handleOf(engineId)
    const daemon = await findDaemon(handle.files.identity)
    const script = await scripts.current().catch(() => null)
    const status = daemon && (await handle.status())
    // Asked after that: one that was killed hangs up some ms before its process is gone, but not before its memory is.
    const memoryBytes = daemon ? await residentBytes(daemon.pid) : 0
    const common = { id: engineId, isOutdated: script !== null && daemon?.tag !== script.tag, memoryBytes }
    if (status) {
      await trimLogs(handle.files, MAX_LOG_BYTES)
      return { ...common, ...status, state: 'running', silentMs: 0 }
    }
    const records = await plannedRecords(handle.files)
    return {
      ...common,
      state: memoryBytes > 0 ? 'silent' : 'dead',
      silentMs: handle.silentMs(),
      channelsAdded: handle.channelsAdded,
      channels: records.map((record) => ({ ...record, live: null })),
    }
  }

  const start = async (engineId: string): Promise<void> => {
    const files = engineFiles(root, engineId)
    const script = await scripts.current()
    await makeEngineDirectories(files, owner)
    const engine = ['--no-stdlib', '--force-start', script.path, '--']
    const daemon = await startDaemon({
      program: options.program,
      args: [...engine, 'control.sock', 'engine.log', 'events.jsonl', `${options.logLevel}`],
      cwd: files.run,
      logFile: files.output,
      identityFile: files.identity,
      tag: script.tag,
      user: owner,
    })
    await limitEngine(daemon.pid, options.limits, owner).catch(async (cause: unknown) => {
      const isGone = (await findDaemon(files.identity)) === null // why is told below
      if (!isGone) throw new AppError('ENGINE_START_FAILED', 'An engine can not be held to its limits', { cause })
    })
    const { socket } = handleOf(engineId)
    const outcome = async () => ((await findDaemon(files.identity)) ? (await socket.ask('status')) && 'answers' : 'ended')
    const how = await waitFor('the engine to answer', outcome, { timeoutMs: START_TIMEOUT_MS, everyMs: 10 }).catch(
      () => 'is mute',
    )
    if (how === 'answers') return
    const details = (await readFile(files.output, 'utf8').catch(() => '')).slice(-2000)
    throw new AppError('ENGINE_START_FAILED', `Liquidsoap was started and ${how}`, { details })
  }

  const stop = async (engineId: string, kill: boolean): Promise<void> => {
    const { files } = handleOf(engineId)
    const found = await findDaemon(files.identity)
    const signal = kill ? 'SIGKILL' : 'SIGTERM'
    if (found) await stopDaemon(found, { identityFile: files.identity, graceMs: STOP_GRACE_MS, signal })
    await clear(engineId)
  }

  return {
    async list() {
      const engineIds = await readdir(root)
      for (const engineId of handles.keys()) if (!engineIds.includes(engineId)) letGo(engineId)
      return Promise.all(engineIds.filter((engineId) => !starting.has(engineId)).map(look))
    },
    async start() {
      const engineId = `${Date.now().toString(36)}${randomBytes(3).toString('hex')}`
      starting.add(engineId)
      try {
        await start(engineId)
      } catch (error) {
        scripts.forget()
        await stop(engineId, true)
        throw error
      } finally {
        starting.delete(engineId)
      }
      changed()
    },
    stop: (engineId, { kill = false } = {}) => stop(engineId, kill),
    async add(engineId, stream) {
      const { files, socket } = handleOf(engineId)
      const argument = addArgument(stream, options.icecast)
      const plan = await writePlan(files, stream, options)
      await command(socket, 'add', { ...argument, plan }, 'exists').catch(async (error: unknown) => {
        // No answer is not a no: it may hold the channel, and then the plan is how that is known.
        if (isAppError(error, 'ENGINE_REFUSED')) await removePlan(files, stream.record.channelId)
        throw error
      })
    },
    async load(engineId, stream) {
      const { files, socket } = handleOf(engineId)
      const plan = await writePlan(files, stream, options)
      await command(socket, 'load', { key: stream.record.channelId, data: JSON.stringify(stream.record), plan })
    },
    async remove(engineId, channelId) {
      const { files, socket } = handleOf(engineId)
      await command(socket, 'remove', { key: channelId }, 'unknown')
      await removePlan(files, channelId)
      removals += 1
      if (removals % REMOVALS_PER_COLLECTION === 0) await socket.ask('gc')
    },
    readEvents: (engineId) => handleOf(engineId).log.read(),
    acknowledge: (engineId, seq) => handleOf(engineId).log.acknowledge(seq),
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async [Symbol.asyncDispose]() {
      listeners.clear()
      for (const engineId of handles.keys()) letGo(engineId)
    },
  }
}
