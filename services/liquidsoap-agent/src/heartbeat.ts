import type { Bus } from '@skipcast/bus'
import { stamp, streamCost, type ServerHeartbeat } from '@skipcast/contracts'
import type { Teller } from './domain/engine-event.ts'
import type { Reach } from './domain/reach.ts'
import type { Clock } from './ports.ts'
import type { Observation } from './reconcile.ts'

/**
 * Tells that this server lives, and what it carries; `awayMs`: that it is about to be silent for so long at most, while its engines play on. Of a host that
 * we do not reach nothing is told: for all we know it is gone.
 */
export async function beat(
  ports: { bus: Pick<Bus, 'publish'>; clock: Clock; observed: () => Observation; reach: () => Reach },
  server: {
    readonly teller: Teller
    readonly startedAt: number
    readonly labels: Readonly<Record<string, string>>
    readonly capacity: number
    readonly versions: () => Readonly<Record<string, string>>
  },
  awayMs?: number,
): Promise<void> {
  const { engines, wanted, reach } = ports.observed()
  if (reach !== 'reached') return
  const at = ports.clock.wallMs()
  const { heard, cutOffSince } = ports.reach()
  const alive = engines.filter(({ state }) => state !== 'dead')
  const { serverId, origin } = server.teller
  const value: ServerHeartbeat = {
    ...stamp(origin, at, `${serverId}.${at}`),
    event: 'server_heartbeat',
    server_id: serverId,
    started_at: server.startedAt,
    labels: { ...server.labels },
    capacity: server.capacity,
    load: [...(wanted?.values() ?? [])].reduce((sum, { command }) => sum + streamCost(command), 0),
    engines: alive.length,
    channels: alive.reduce((sum, { channels }) => sum + channels.length, 0),
    versions: { ...server.versions() },
    heard,
    ...(cutOffSince !== null && { cut_off_ms: Math.max(0, at - cutOffSince) }),
    ...(awayMs !== undefined && { away_ms: awayMs }),
  }
  await ports.bus.publish('serverHeartbeats', [{ key: serverId, value }])
}
