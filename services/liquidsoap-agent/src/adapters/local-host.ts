import { createHash, randomBytes } from 'node:crypto'
import { watch } from 'node:fs'
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
  writeFileAtomic,
  type ChildUser,
} from '@skipcast/runtime'
import type { Engine } from '../domain/engine.ts'
import type { WantedStream } from '../domain/wanted.ts'
import type { EngineHost } from '../ports.ts'
import {
  engineFiles,
  makeEngineDirectories,
  plannedRecords,
  removePlan,
  strayProcess,
  trimLogs,
  writePlan,
  type EngineFiles,
} from './engine-files.ts'
import { engineSocket, type EngineSocket } from './engine-socket.ts'
import { readStatus, type EngineStatus } from './engine-status.ts'
import { eventLog, type EventLog } from './event-log.ts'
import { headerText } from './icecast-text.ts'

const START_TIMEOUT_MS = 10_000
const STOP_GRACE_MS = 3000
const MAX_LOG_BYTES = 8 * 1024 * 1024
/** Memory that removed channels leave is collected after so many. */
const REMOVALS_PER_COLLECTION = 20

const MOUNT = /^\/[a-z0-9][a-z0-9-]{0,99}$/
const TOKEN = /^[\u0021-\u007e]{1,500}$/

export interface LocalHostOptions {
  /** Below the home; made by the host. Others may pass through it. */
  readonly directory: string
  /** The engine's script. It is copied, so that an engine's script never changes under it. */
  readonly script: string
  readonly program: string
  readonly logLevel: number
  readonly icecast: { readonly host: string; readonly port: number }
  /** The user that engines run as; undefined: our own. */
  readonly owner: ChildUser | undefined
  /** Where a file that is played lies: an absolute path that the engines' user can read. */
  readonly pathOf: (sha256: string) => string
}

/** What this process holds of an engine: nothing that could not be made again. */
interface Handle {
  readonly files: EngineFiles
  readonly socket: EngineSocket
  readonly log: EventLog
  readonly firstSeenAt: number
  answeredAt: number | null
  /** Its last answer; it may be old when the engine is silent. */
  status: EngineStatus | null
  isSilent: boolean
  asking: Promise<void> | null
  removals: number
  close(): void
}

/** Engines as detached processes of this machine. They outlive this process; the next one finds them by their files. */
export async function localHost(options: LocalHostOptions): Promise<EngineHost> {
  const { owner } = options
  await makeDirectory(options.directory, { mode: 0o711 })
  const root = await makeDirectory(join(options.directory, 'engines'), { mode: 0o711 })
  const script = await keepScript(options)
  const handles = new Map<string, Handle>()
  const starting = new Set<string>()
  const listeners = new Set<() => void>()
  const changed = () => {
    for (const listener of listeners) listener()
  }

  const handleOf = (engineId: string): Handle => {
    const known = handles.get(engineId)
    if (known) return known
    const files = engineFiles(root, engineId)
    const socket = engineSocket(files.socket, changed)
    const reopen = async () => {
      if (await findDaemon(files.identity)) await socket.ask('reopen')
    }
    const stopWatching = watchEvents(files, changed)
    const handle: Handle = {
      files,
      socket,
      log: eventLog(files, reopen),
      firstSeenAt: performance.now(),
      answeredAt: null,
      status: null,
      isSilent: false,
      asking: null,
      removals: 0,
      close() {
        stopWatching()
        socket.close()
        handles.delete(engineId)
      },
    }
    handles.set(engineId, handle)
    return handle
  }

  const look = async (engineId: string): Promise<Engine> => {
    const handle = handleOf(engineId)
    const { files } = handle
    const daemon = await findDaemon(files.identity)
    const common = { id: engineId, isOutdated: daemon?.tag !== script.tag, channelsAdded: handle.status?.channelsAdded ?? 0 }
    if (daemon && (await answers(handle, changed))) {
      await trimLogs(files, MAX_LOG_BYTES)
      return { ...common, ...handle.status!, state: 'running', silentMs: 0 }
    }
    const records = await plannedRecords(files)
    return {
      ...common,
      state: daemon ? 'silent' : 'dead',
      silentMs: performance.now() - (handle.answeredAt ?? handle.firstSeenAt),
      channels: records.map((record) => ({ ...record, live: null })),
    }
  }

  const start = async (engineId: string): Promise<void> => {
    const files = engineFiles(root, engineId)
    await makeEngineDirectories(files, owner)
    const daemon = await startDaemon({
      program: options.program,
      args: [
        '--no-stdlib',
        '--force-start',
        script.path,
        '--',
        'control.sock',
        'engine.log',
        'events.jsonl',
        `${options.logLevel}`,
      ],
      cwd: files.run,
      logFile: files.output,
      identityFile: files.identity,
      tag: script.tag,
      user: owner,
    }).catch(async (error: unknown) => {
      await rm(files.directory, { recursive: true, force: true })
      throw error
    })
    const { socket } = handleOf(engineId)
    const begun = async () =>
      (await socket.ask('status').catch(() => null)) ?? ((await findDaemon(files.identity)) ? null : 'ended')
    const outcome = await waitFor('the engine to answer', begun, { timeoutMs: START_TIMEOUT_MS, everyMs: 10 }).catch(() => 'mute')
    if (typeof outcome !== 'string') return
    const output = (await readFile(files.output, 'utf8').catch(() => '')).slice(-2000)
    if (outcome === 'mute') await stopDaemon(daemon, { identityFile: files.identity, graceMs: 0 })
    await clear(engineId)
    throw new AppError(
      'ENGINE_START_FAILED',
      `Liquidsoap did not start: ${outcome === 'mute' ? 'it does not answer' : 'it ended at once'}`,
      {
        details: output,
      },
    )
  }

  const clear = async (engineId: string) => {
    const handle = handleOf(engineId)
    handle.close()
    await rm(handle.files.directory, { recursive: true, force: true })
  }

  return {
    async list() {
      const engineIds = await readdir(root)
      for (const [engineId, handle] of handles) if (!engineIds.includes(engineId)) handle.close()
      return Promise.all(engineIds.filter((engineId) => !starting.has(engineId)).map(look))
    },
    async start() {
      const engineId = `${Date.now().toString(36)}${randomBytes(3).toString('hex')}`
      starting.add(engineId)
      await start(engineId).finally(() => starting.delete(engineId))
      changed()
    },
    async stop(engineId, { kill = false } = {}) {
      const { files } = handleOf(engineId)
      const process = (await findDaemon(files.identity)) ?? (await strayProcess(files))
      if (process) {
        const signal = kill ? 'SIGKILL' : 'SIGTERM'
        await stopDaemon(process, { identityFile: files.identity, graceMs: STOP_GRACE_MS, signal })
      }
      await clear(engineId)
    },
    async add(engineId, stream) {
      const { files, socket } = handleOf(engineId)
      const command = addCommand(stream, options.icecast)
      const plan = await writePlan(files, stream, options)
      await request(socket, 'add', { ...command, plan }).catch(async (error: unknown) => {
        // No answer is not a no: it may hold the channel, and then the plan is how that is known.
        if (isAppError(error, 'ENGINE_REFUSED')) await removePlan(files, stream.record.channelId)
        throw error
      })
    },
    async load(engineId, stream) {
      const { files, socket } = handleOf(engineId)
      const plan = await writePlan(files, stream, options)
      await request(socket, 'load', { key: stream.record.channelId, data: JSON.stringify(stream.record), plan })
    },
    async remove(engineId, channelId) {
      const handle = handleOf(engineId)
      const answer = await handle.socket.ask('remove', { key: channelId })
      if (!answer.ok && answer.code !== 'unknown') throw refusal(answer.code)
      await removePlan(handle.files, channelId)
      if (++handle.removals % REMOVALS_PER_COLLECTION === 0) await handle.socket.ask('gc')
    },
    readEvents: (engineId) => handleOf(engineId).log.read(),
    acknowledge: (engineId, seq) => handleOf(engineId).log.acknowledge(seq),
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async [Symbol.asyncDispose]() {
      listeners.clear()
      for (const handle of handles.values()) handle.close()
    },
  }
}

/** A copy of the script under its own hash, readable by the engines' user. */
async function keepScript({ directory, script }: LocalHostOptions): Promise<{ path: string; tag: string }> {
  const text = await readFile(script)
  const tag = createHash('sha256').update(text).digest('hex').slice(0, 16)
  const scripts = await makeDirectory(join(directory, 'scripts'), { mode: 0o711 })
  const path = join(scripts, `${tag}.liq`)
  await writeFileAtomic(path, text, { mode: 0o644 })
  return { path, tag }
}

/**
 * Asks for the status and tells whether it came. An engine that did not answer the last time is not waited for:
 * its answer, should it come, is told as a change, and holds up nobody.
 */
async function answers(handle: Handle, changed: () => void): Promise<boolean> {
  handle.asking ??= handle.socket
    .ask('status')
    .then((answer) => {
      handle.status = readStatus(answer)
      handle.answeredAt = performance.now()
      if (handle.isSilent) changed()
      handle.isSilent = false
    })
    .catch(() => {
      handle.isSilent = true
    })
    .finally(() => (handle.asking = null))
  if (!handle.isSilent) await handle.asking
  return !handle.isSilent
}

function watchEvents(files: EngineFiles, changed: () => void): () => void {
  try {
    const watcher = watch(files.run, (_, name) => {
      if (name === 'events.jsonl') changed()
    })
    watcher.on('error', () => watcher.close())
    return () => watcher.close()
  } catch {
    return () => {} // the system has no watches left: the timer sees what happened, later
  }
}

async function request(socket: EngineSocket, command: string, argument: unknown): Promise<void> {
  const answer = await socket.ask(command, argument)
  if (!answer.ok && answer.code !== 'exists') throw refusal(answer.code)
}

function refusal(code: string): AppError {
  return new AppError('ENGINE_REFUSED', `The engine refused the channel (${code})`)
}

/** Everything that goes to Icecast is plain here: Liquidsoap escapes nothing. */
function addCommand({ record, command }: WantedStream, icecast: { host: string; port: number }) {
  if (!MOUNT.test(command.mount) || !TOKEN.test(command.source_token)) {
    throw new AppError('ENGINE_REFUSED', 'The mount or the token is not one that Icecast takes')
  }
  return {
    key: record.channelId,
    data: JSON.stringify(record),
    mode: command.mode,
    bitrate: command.bitrate_kbps,
    host: icecast.host,
    port: icecast.port,
    password: command.source_token,
    mount: command.mount,
    name: headerText(command.name),
    description: headerText(command.description),
    genre: headerText(command.genre),
  }
}
