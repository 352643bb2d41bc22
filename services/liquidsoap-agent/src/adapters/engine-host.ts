import { randomBytes } from 'node:crypto'
import { AppError, isAppError, waitFor } from '@skipcast/runtime'
import type { Engine } from '../domain/engine.ts'
import type { WantedStream } from '../domain/wanted.ts'
import type { EngineHost } from '../ports.ts'
import { isHostTrouble } from '../host-trouble.ts'
import { engineHandle, type EngineHandle } from './engine-handle.ts'
import type { EngineMachine, EngineTrace } from './engine-machine.ts'
import { planText, recordOfPlan } from './engine-plan.ts'
import { addArgument, command } from './hub-command.ts'

const START_TIMEOUT_MS = 10_000
/** Memory that removed channels leave is collected after so many. */
const REMOVALS_PER_COLLECTION = 20

/** The engines of a machine. They outlive this process; the next one finds them by what the machine shows. */
export function engineHost(machine: EngineMachine, options: { icecast: { host: string; port: number } }): EngineHost {
  const handles = new Map<string, EngineHandle>()
  const starting = new Set<string>()
  const listeners = new Set<() => void>()
  let removals = 0

  const changed = () => {
    for (const listener of listeners) listener()
  }
  machine.onChange?.(changed)
  const handleOf = (engineId: string): EngineHandle => {
    const handle = handles.get(engineId) ?? engineHandle(machine, engineId, changed)
    handles.set(engineId, handle)
    return handle
  }
  const letGo = (engineId: string) => {
    handles.get(engineId)?.[Symbol.dispose]()
    handles.delete(engineId)
  }

  const look = async ({ id, process }: EngineTrace): Promise<Engine> => {
    const handle = handleOf(id)
    const currentTag = await machine.scriptTag().catch(() => null)
    const isOutdated = currentTag !== null && process?.scriptTag !== currentTag
    const status = process && (await handle.status())
    if (status) return { id, isOutdated, memoryBytes: process.memoryBytes, ...status, state: 'running', silentMs: 0 }
    // Asked after that: one that was killed hangs up some ms before its process is gone, but not before its memory is.
    const memoryBytes = process ? await machine.memoryOf(id) : 0
    const plans = await machine.readPlans(id)
    return {
      id,
      isOutdated,
      memoryBytes,
      state: memoryBytes > 0 ? 'silent' : 'dead',
      silentMs: handle.silentMs(),
      channelsAdded: handle.channelsAdded,
      channels: plans.flatMap((plan) => recordOfPlan(plan) ?? []).map((record) => ({ ...record, live: null })),
    }
  }

  const start = async (engineId: string): Promise<void> => {
    await machine.start(engineId)
    const { socket } = handleOf(engineId)
    const outcome = async () => ((await machine.memoryOf(engineId)) > 0 ? (await socket.ask('status')) && 'answers' : 'ended')
    const how = await waitFor('the engine to answer', outcome, { timeoutMs: START_TIMEOUT_MS, everyMs: 10 }).catch(
      () => 'is mute',
    )
    if (how === 'answers') return
    const details = await machine.lastWords(engineId).catch(() => '')
    throw new AppError('ENGINE_START_FAILED', `Liquidsoap was started and ${how}`, { details })
  }

  const stop = async (engineId: string, kill: boolean): Promise<void> => {
    letGo(engineId)
    await machine.stop(engineId, { kill })
  }

  const writePlan = (engineId: string, stream: WantedStream) =>
    machine.writePlan(
      engineId,
      stream.record.channelId,
      planText(stream, (sha256) => machine.pathOf(sha256)),
    )

  const list = async () => {
    const traces = await machine.list()
    for (const engineId of handles.keys()) if (!traces.some(({ id }) => id === engineId)) letGo(engineId)
    return Promise.all(traces.filter(({ id }) => !starting.has(id)).map(look))
  }

  return {
    list: () =>
      list().catch((error: unknown) => {
        // How long engines have been silent begins anew with the next look: it was the way to them that failed.
        if (isHostTrouble(error)) for (const engineId of handles.keys()) letGo(engineId)
        throw error
      }),
    async start() {
      const engineId = `${Date.now().toString(36)}${randomBytes(3).toString('hex')}`
      starting.add(engineId)
      try {
        await start(engineId)
      } catch (error) {
        machine.forgetScript()
        await stop(engineId, true)
        throw error
      } finally {
        starting.delete(engineId)
      }
      changed()
    },
    stop: (engineId, { kill = false } = {}) => stop(engineId, kill),
    async add(engineId, stream) {
      const { socket } = handleOf(engineId)
      const argument = addArgument(stream, options.icecast)
      const plan = await writePlan(engineId, stream)
      await command(socket, 'add', { ...argument, plan }, 'exists').catch(async (error: unknown) => {
        // No answer is not a no: it may hold the channel, and then the plan is how that is known.
        if (isAppError(error, 'ENGINE_REFUSED')) await machine.removePlan(engineId, stream.record.channelId)
        throw error
      })
    },
    async load(engineId, stream) {
      const { socket } = handleOf(engineId)
      const plan = await writePlan(engineId, stream)
      await command(socket, 'load', { key: stream.record.channelId, data: JSON.stringify(stream.record), plan })
    },
    async remove(engineId, channelId) {
      const { socket } = handleOf(engineId)
      await command(socket, 'remove', { key: channelId }, 'unknown')
      await machine.removePlan(engineId, channelId)
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
      await machine[Symbol.asyncDispose]()
    },
  }
}
