import { backoff } from '@skipcast/runtime'
import type { Sound } from '../domain/plan.ts'
import type { Telemetry } from '../telemetry.ts'
import type { Attempt, SourceConnection } from './source-connection.ts'

/** After losing a mount it is worth trying at once: listeners may come at any moment. */
const AFTER_LOSS_MS = 30
const RETRY = { firstMs: 100, mostMs: 5000 }

/** One mount that is to be fed whenever nobody else feeds it. */
export interface FedMount {
  sound: Sound
  write(frames: Buffer): void
  nudge(): void
  isConnected(): boolean
  close(): void
}

/** Tries to become the mount's source; resolves with what came of it. */
export type TryOnce = (mount: string, sound: Sound, signal: AbortSignal) => Promise<Attempt>

/**
 *   trying ──200──► connected ──lost──► trying (soon)
 *     ├──in use──► resting ──nudge──► trying
 *     └──failed──► trying (backoff)
 */
export function fedMount(mount: string, sound: Sound, tryOnce: TryOnce, telemetry: Pick<Telemetry, 'fillerFailed'>): FedMount {
  const closing = new AbortController()
  const waits = backoff(RETRY)
  let connection: SourceConnection | undefined
  let timer: NodeJS.Timeout | undefined
  let isTrying = false
  let tryAgain = false

  const later = (ms: number) => {
    clearTimeout(timer)
    timer = setTimeout(start, ms)
  }
  const start = () => {
    clearTimeout(timer)
    isTrying = true
    tryAgain = false
    void tryOnce(mount, self.sound, closing.signal).then((outcome) => {
      isTrying = false
      if (outcome.kind === 'connected') return use(outcome.connection)
      if (closing.signal.aborted) return
      if (tryAgain) return start() // it became free while we were being told that it was not
      if (outcome.kind === 'busy') return waits.reset()
      telemetry.fillerFailed(mount, outcome.reason)
      later(waits.next())
    })
  }
  const use = (made: SourceConnection) => {
    if (closing.signal.aborted) return made.close()
    waits.reset()
    connection = made
    void made.ended.then(() => {
      connection = undefined
      if (!closing.signal.aborted) later(AFTER_LOSS_MS)
    })
  }

  const self: FedMount = {
    sound,
    write: (frames) => connection?.write(frames),
    nudge() {
      if (isTrying) tryAgain = true
      else if (!connection) start()
    },
    isConnected: () => connection !== undefined,
    close() {
      closing.abort()
      clearTimeout(timer)
      connection?.close()
    },
  }
  start()
  return self
}
