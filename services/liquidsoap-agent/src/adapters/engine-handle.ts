import { isHostTrouble } from '../host-trouble.ts'
import type { EngineMachine } from './engine-machine.ts'
import type { EngineSocket } from './engine-socket.ts'
import { readStatus, type EngineStatus } from './engine-status.ts'
import { eventLog, type EventLog } from './event-log.ts'

/** What this process holds of an engine: connections and watches, nothing that could not be made again. */
export interface EngineHandle extends Disposable {
  readonly socket: EngineSocket
  readonly log: EventLog
  /** How many channels the engine was given, as far as it ever told. */
  readonly channelsAdded: number
  /** Since the last answer, or since this process came to know the engine. */
  silentMs(): number
  /**
   * The engine's status, or null when it does not answer within half a second. One that did not answer the last time is not waited
   * for: its answer, should it come, is told as a change, and holds up nobody. Rejects when the machine can't be reached: that is no silence of the engine.
   */
  status(): Promise<EngineStatus | null>
}

/** An engine that ends by itself hangs up some ms before it counts as ended, and nobody tells when it has. */
const LOOK_AGAIN_MS = 50

/** `onChange` is called when the engine ended, wrote an event, or answers again; and soon after it did not answer. */
export function engineHandle(
  machine: Pick<EngineMachine, 'open' | 'memoryOf'>,
  engineId: string,
  onChange: () => void,
): EngineHandle {
  const access = machine.open(engineId, onChange)
  const { socket } = access
  let answeredAt = performance.now()
  let last: EngineStatus | null = null
  let isSilent = false
  let asking: Promise<void> | null = null
  let lookAgain: NodeJS.Timeout | undefined
  let isDisposed = false

  const ask = async () => {
    try {
      last = readStatus(engineId, await socket.ask('status'))
      answeredAt = performance.now()
      if (isSilent) onChange()
      isSilent = false
    } catch (error) {
      if (isHostTrouble(error)) throw error
      isSilent = true
      if (!isDisposed) lookAgain = setTimeout(onChange, LOOK_AGAIN_MS)
    } finally {
      asking = null
    }
  }

  return {
    socket,
    log: eventLog(access.events, async () => {
      if ((await machine.memoryOf(engineId)) > 0) await socket.ask('reopen')
    }),
    get channelsAdded() {
      return last?.channelsAdded ?? 0
    },
    silentMs: () => performance.now() - answeredAt,
    async status() {
      asking ??= ask()
      if (isSilent) asking.catch(() => {}) // the next look meets it too
      else await asking
      return isSilent ? null : last
    },
    [Symbol.dispose]() {
      isDisposed = true
      clearTimeout(lookAgain)
      access[Symbol.dispose]()
    },
  }
}
