import { watch } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  AppError,
  findDaemon,
  makeDirectory,
  readFileIfThere,
  startDaemon,
  stopDaemon,
  writeFileAtomic,
  type ChildUser,
} from '@skipcast/runtime'
import { engineFiles, makeEngineDirectories, planFile, trimLogs, type EngineFiles } from './engine-files.ts'
import { limitEngine, residentBytes, type EngineLimits } from './engine-limits.ts'
import type { EngineMachine } from './engine-machine.ts'
import type { EngineScripts } from './engine-script.ts'
import { engineSocket } from './engine-socket.ts'
import { localEventFiles } from './local-event-files.ts'

const STOP_GRACE_MS = 3000
const MAX_LOG_BYTES = 8 * 1024 * 1024

export interface LocalMachineOptions {
  /** Below the home; made here. Others may pass through it. */
  readonly directory: string
  readonly program: string
  readonly logLevel: number
  readonly limits: EngineLimits
  /** The user that engines run as; undefined: our own. */
  readonly owner: ChildUser | undefined
  readonly pathOf: (sha256: string) => string
}

/** Engines as detached processes of this machine. */
export async function localMachine(options: LocalMachineOptions, scripts: EngineScripts): Promise<EngineMachine> {
  const { owner } = options
  await makeDirectory(options.directory, { mode: 0o711 })
  const root = await makeDirectory(join(options.directory, 'engines'), { mode: 0o711 })
  void scripts.current().catch(() => {}) // asked for early; the first start tells what is wrong

  return {
    pathOf: options.pathOf,
    scriptTag: async () => (await scripts.current()).tag,
    forgetScript: () => scripts.forget(),
    async list() {
      const trace = async (id: string) => {
        const files = engineFiles(root, id)
        const daemon = await findDaemon(files.identity)
        if (!daemon) return { id, process: null }
        await trimLogs(files, MAX_LOG_BYTES)
        return { id, process: { scriptTag: daemon.tag, memoryBytes: await residentBytes(daemon.pid) } }
      }
      return Promise.all((await readdir(root)).map(trace))
    },
    async start(engineId) {
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
        const isGone = (await findDaemon(files.identity)) === null // its own last words say why
        if (!isGone) throw new AppError('ENGINE_START_FAILED', 'An engine can not be held to its limits', { cause })
      })
    },
    async memoryOf(engineId) {
      const daemon = await findDaemon(engineFiles(root, engineId).identity)
      return daemon ? residentBytes(daemon.pid) : 0
    },
    lastWords: async (engineId) => (await readFile(engineFiles(root, engineId).output, 'utf8')).slice(-2000),
    async stop(engineId, { kill }) {
      const files = engineFiles(root, engineId)
      const found = await findDaemon(files.identity)
      const signal = kill ? 'SIGKILL' : 'SIGTERM'
      if (found) await stopDaemon(found, { identityFile: files.identity, graceMs: STOP_GRACE_MS, signal })
      await rm(files.directory, { recursive: true, force: true })
    },
    async writePlan(engineId, channelId, text) {
      const path = planFile(engineFiles(root, engineId), channelId)
      await writeFileAtomic(path, text, { owner })
      return path
    },
    removePlan: (engineId, channelId) => rm(planFile(engineFiles(root, engineId), channelId), { force: true }),
    async readPlans(engineId) {
      const { plans } = engineFiles(root, engineId)
      const names = (await readdir(plans).catch(() => [])).filter((name) => name.endsWith('.json'))
      return (await Promise.all(names.map((name) => readFileIfThere(join(plans, name))))).filter((text) => text !== null)
    },
    open(engineId, onChange) {
      const files = engineFiles(root, engineId)
      const socket = engineSocket(files.socket, onChange)
      const stopWatching = watchEvents(files, onChange)
      return {
        socket,
        events: localEventFiles(files),
        [Symbol.dispose]() {
          stopWatching()
          socket.close()
        },
      }
    },
    [Symbol.asyncDispose]: async () => {},
  }
}

function watchEvents(files: EngineFiles, onChange: () => void): () => void {
  try {
    const watcher = watch(files.run, (_, name) => {
      if (name === 'events.jsonl') onChange()
    })
    watcher.on('error', () => watcher.close())
    return () => watcher.close()
  } catch {
    return () => {} // the system has no watches left: the timer sees what happened, later
  }
}
