import type { Bus } from '@skipcast/bus'
import type { ServerSight } from '../domain/stream-view.ts'
import type { Fleet } from '../ports.ts'
import type { BusWatch } from './bus-watch.ts'

/**
 * The servers, from their heartbeats on the bus. Ages are measured on our own clock, from arrival, so that servers' clocks do not
 * matter; only the first heartbeat of each, which may have stood on the topic for long, is as old as it says. While the bus is
 * away nobody is called silent.
 */
export function fleet(
  bus: Bus,
  busWatch: BusWatch,
  options: { silentAfterMs: number; onChange: () => void },
): Fleet & AsyncDisposable {
  const heartbeats = bus.watch('serverHeartbeats')
  const arrivals = new Map<string, number>() // performance.now()
  const noteArrival = (id: string) => {
    const heartbeat = heartbeats.values.get(id)
    if (!heartbeat) return
    const ageMs = arrivals.has(id) ? 0 : Math.max(0, Date.now() - heartbeat.occurred_at)
    arrivals.set(id, performance.now() - ageMs)
  }
  for (const id of heartbeats.values.keys()) noteArrival(id)
  heartbeats.onChange((id) => {
    if (id !== null) noteArrival(id)
    options.onChange()
  })

  const wasHeardLately = (id: string) => performance.now() - (arrivals.get(id) ?? -Infinity) <= options.silentAfterMs

  const sight = (id: string): ServerSight => {
    const { hearingSince } = busWatch
    if (hearingSince === null || !heartbeats.isCaughtUp) return { kind: 'unknown' }
    if (wasHeardLately(id) && heartbeats.values.has(id)) return { kind: 'heard' }
    const couldBeHeardForMs = performance.now() - hearingSince
    if (couldBeHeardForMs <= options.silentAfterMs) return { kind: 'unknown' }
    const silentForMs = performance.now() - (arrivals.get(id) ?? hearingSince)
    return { kind: 'silent', since: Math.round(Date.now() - silentForMs) }
  }

  const heardAt = (id: string) => {
    const arrival = arrivals.get(id)
    return arrival === undefined ? null : Math.round(Date.now() - (performance.now() - arrival))
  }

  return {
    servers() {
      if (busWatch.hearingSince === null) return []
      const heard = [...heartbeats.values.values()].filter(({ server_id }) => wasHeardLately(server_id))
      return heard.map(({ server_id, capacity }) => ({ id: server_id, capacity }))
    },
    sight,
    heardAt,
    list() {
      const ids = [...heartbeats.values.keys()].toSorted()
      return ids.map((id) => ({
        heartbeat: heartbeats.values.get(id)!,
        sight: sight(id),
        heardAt: heardAt(id) ?? 0,
      }))
    },
    [Symbol.asyncDispose]: () => heartbeats[Symbol.asyncDispose](),
  }
}
