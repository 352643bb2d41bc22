import type { Bus } from '@skipcast/bus'
import type { StreamStatus } from '@skipcast/contracts'
import { essence, statusKey } from './domain/status.ts'
import type { Clock } from './ports.ts'
import type { Telemetry } from './telemetry.ts'

/** A status that did not change is told again after so long, so that readers can tell old from dead. */
const REPEAT_MS = 5000
/**
 * So long `off` is told again and again, as every other phase is: what the agent before us gave to the bus may come there after what we told, and would
 * stand there for ever.
 */
const STRAGGLERS_MS = 15_000
/** After the bus refused, it is left alone for so long. */
const BUS_PAUSE_MS = 1000

/** Tells statuses: what changed at once, the rest now and then. */
export interface StatusTeller {
  /** Returns the channels that have been told to be off for long enough; never rejects. `atOnce`: although the bus refused a moment ago. */
  tell(statuses: readonly StreamStatus[], options?: { atOnce: boolean }): Promise<readonly string[]>
  /** The channel is another's to tell. */
  forget(channelId: string): void
}

export function statusTeller(ports: { bus: Pick<Bus, 'publish'>; clock: Clock; tell: Telemetry }): StatusTeller {
  const { bus, clock, tell } = ports
  const told = new Map<string, { channelId: string; essence: string; at: number; firstAt: number }>()
  let busAwayUntil = -Infinity

  const forget = (channelId: string) => {
    for (const [key, last] of told) if (last.channelId === channelId) told.delete(key)
  }
  return {
    forget,
    async tell(statuses, { atOnce } = { atOnce: false }) {
      const now = clock.steadyMs()
      if (now < busAwayUntil && !atOnce) return []
      const due = statuses.filter((status) => {
        const last = told.get(statusKey(status))
        return !last || last.essence !== essence(status) || now - last.at >= REPEAT_MS
      })
      if (due.length === 0) return []
      try {
        await bus.publish(
          'streamStatus',
          due.map((value) => ({ key: statusKey(value), value })),
        )
      } catch (error) {
        busAwayUntil = clock.steadyMs() + BUS_PAUSE_MS
        tell.busAway('status', error)
        return []
      }
      for (const status of due) {
        const [last, said] = [told.get(statusKey(status)), essence(status)]
        const firstAt = last?.essence === said ? last.firstAt : now
        told.set(statusKey(status), { channelId: status.channel_id, essence: said, at: now, firstAt })
      }
      const gone = due.filter((status) => status.phase === 'off' && now - told.get(statusKey(status))!.firstAt >= STRAGGLERS_MS)
      for (const { channel_id } of gone) forget(channel_id)
      return gone.map(({ channel_id }) => channel_id)
    },
  }
}
