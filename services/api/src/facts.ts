import type { Phase } from '@skipcast/contracts'
import { COUNT_STALE_AFTER_MS } from '@skipcast/db'
import { allStreams } from './http/all-streams.ts'
import type { ApiPorts } from './ports.ts'
import type { Facts } from './telemetry.ts'

/** Where the numbers come from that are read when somebody asks for them. */
export function apiFacts(ports: Pick<ApiPorts, 'stores' | 'fleet' | 'statuses' | 'deafSince' | 'settings'>): Facts {
  const { stores, fleet } = ports
  return {
    async phases() {
      const counts = new Map<Phase, number>()
      for (const {
        event: { stream },
      } of await allStreams(ports))
        counts.set(stream.phase, (counts.get(stream.phase) ?? 0) + 1)
      return counts
    },
    outbox: stores.outboxDepth,
    servers: () =>
      fleet.list().map(({ heartbeat, sight }) => ({
        id: heartbeat.server_id,
        isHeard: sight.kind === 'heard',
        engines: heartbeat.engines,
        load: heartbeat.load,
      })),
    listeners: () => stores.listenerCounts.total(new Date(Date.now() - COUNT_STALE_AFTER_MS)),
  }
}
