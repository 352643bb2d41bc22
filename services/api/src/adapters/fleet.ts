import type { Bus } from '@skipcast/bus'
import type { OwnStalls } from '@skipcast/runtime'
import type { ServerSight } from '../domain/stream-view.ts'
import type { Fleet } from '../ports.ts'
import type { BusWatch } from './bus-watch.ts'

/** How soon it is noticed that somebody fell silent. */
const LOOK_EVERY_MS = 250
/** When nobody at all is heard for this part of the time that a server may be silent, it is the road that is blocked, not they. */
const BLOCKED_SHARE = 0.5
/** Once it is free again, not all get through at once: so many times as long as it was blocked, the others may take. */
const HELD_UP_TIMES = 2

export interface FleetOptions {
  readonly silentAfterMs: number
  /** After our start, and after an outage of the bus, servers get so long to be heard. */
  readonly graceMs: number
  readonly stalls: OwnStalls
  /** Somebody came, fell silent, or can carry something else than before. */
  readonly onChange: () => void
}

/**
 * The servers, from their heartbeats on the bus. Ages are measured on our own clock, from arrival, so that servers' clocks do not
 * matter; only the first heartbeat of each, which may have stood on the topic for long, is as old as it says. While the bus is
 * away, or this process itself did not run, nobody is called silent; nor while, and soon after, nobody at all is heard, as when a broker dies that holds
 * their topic: the first of them would seem lost before the others do.
 */
export function fleet(bus: Bus, busWatch: BusWatch, options: FleetOptions): Fleet & AsyncDisposable {
  const { silentAfterMs, graceMs, stalls } = options
  const heartbeats = bus.watch('serverHeartbeats')
  const arrivals = new Map<string, number>() // performance.now()
  const pictures = new Map<string, string>()
  /** When anybody was heard. */
  let heardAt = performance.now()
  const blockedFor = (now: number) => (arrivals.size > 1 && now - heardAt > silentAfterMs * BLOCKED_SHARE ? now - heardAt : 0)
  let heldUp = { since: -Infinity, until: -Infinity }
  const noteArrival = (id: string) => {
    const heartbeat = heartbeats.values.get(id)
    if (!heartbeat) return
    const now = performance.now()
    const blockedMs = blockedFor(now)
    if (blockedMs > 0) heldUp = { since: now, until: now + Math.min(graceMs, blockedMs * HELD_UP_TIMES) }
    heardAt = now
    const ageMs = arrivals.has(id) ? 0 : Math.max(0, Date.now() - heartbeat.occurred_at)
    arrivals.set(id, now - ageMs)
  }

  const sight = (id: string): ServerSight => {
    const { hearingSince } = busWatch
    if (hearingSince === null || !heartbeats.isCaughtUp) return { kind: 'unknown' }
    const now = performance.now()
    const lastAt = arrivals.get(id) ?? -Infinity
    if (now - lastAt <= silentAfterMs) return { kind: 'heard' }
    const mayBeAway = now - lastAt <= (heartbeats.values.get(id)?.away_ms ?? 0)
    const hadTime = now - stalls.endedAt() > silentAfterMs && (lastAt >= hearingSince || now - hearingSince > graceMs)
    const blockedMs = blockedFor(now)
    const isHeldUp = (blockedMs > 0 && blockedMs <= graceMs) || (lastAt < heldUp.since && now < heldUp.until)
    if (mayBeAway || !hadTime || isHeldUp) return { kind: 'unknown' }
    return { kind: 'silent', since: Math.round(Date.now() - (now - (arrivals.get(id) ?? hearingSince))) }
  }

  /** True when placement would see this server differently. */
  const looksNew = (id: string) => {
    const heartbeat = heartbeats.values.get(id)
    const picture = JSON.stringify([sight(id).kind, heartbeat?.capacity, heartbeat?.labels])
    if (picture === pictures.get(id)) return false
    pictures.set(id, picture)
    return true
  }

  const look = () => {
    const changed = [...arrivals.keys()].filter(looksNew)
    if (changed.length > 0) options.onChange()
  }

  for (const id of heartbeats.values.keys()) noteArrival(id)
  heartbeats.onChange((id) => {
    if (id === null) return look()
    noteArrival(id)
    if (looksNew(id)) options.onChange()
  })
  const looking = setInterval(look, LOOK_EVERY_MS)
  looking.unref()

  const lastHeardAt = (id: string) => {
    const arrival = arrivals.get(id)
    return arrival === undefined ? null : Math.round(Date.now() - (performance.now() - arrival))
  }

  return {
    sight,
    heardAt: lastHeardAt,
    list() {
      const ids = [...heartbeats.values.keys()].toSorted()
      return ids.map((id) => ({
        heartbeat: heartbeats.values.get(id)!,
        sight: sight(id),
        heardAt: lastHeardAt(id) ?? 0,
      }))
    },
    async [Symbol.asyncDispose]() {
      clearInterval(looking)
      await heartbeats[Symbol.asyncDispose]()
    },
  }
}
