import type { Drain } from '@skipcast/db'
import { z } from 'zod'
import type { Server } from '../domain/server.ts'
import type { FleetMember } from '../ports.ts'
import { counter, instant, isoOf } from './views.ts'

/** How a server is, as the API answers. */

export const serverState = z.enum(['open', 'draining', 'lost', 'unsure']).meta({
  description:
    'open: takes channels. draining: is being emptied. lost: not heard any more, or cut off from Icecast; its channels go to others. unsure: nobody can say; it keeps what it has, and gets nothing.',
})

export const serverBody = z
  .object({
    id: z.string(),
    state: serverState,
    sight: z.enum(['heard', 'silent', 'unknown']).meta({ description: 'Whether it was heard lately.' }),
    cut_off_ms: counter.nullable().meta({
      description: 'For how long none of its channels has been heard at Icecast, though it plays them. null: that is not so.',
    }),
    last_heard_at: instant,
    started_at: instant,
    labels: z.record(z.string(), z.string()),
    capacity: counter.meta({ description: 'In cost units: a channel in copy mode costs 1.' }),
    placed: z
      .object({ channels: counter, cost: counter })
      .meta({ description: 'What it shall carry, second replicas among it.' }),
    drain: z.object({ since: instant, by: z.string() }).nullable().meta({ description: 'Somebody’s wish that it be empty.' }),
    load: counter.meta({ description: 'What it says that it carries.' }),
    engines: counter,
    channels: counter,
    versions: z.record(z.string(), z.string()),
  })
  .meta({ id: 'Server' })

export function showServer(
  { heartbeat, sight, heardAt }: FleetMember,
  planned: { readonly server: Server; readonly channels: number; readonly drain: Drain | undefined },
): z.output<typeof serverBody> {
  const { labels, capacity, load, engines, channels, versions } = heartbeat
  const { server, drain } = planned
  return {
    id: heartbeat.server_id,
    state: server.state,
    sight: sight.kind,
    cut_off_ms: heartbeat.cut_off_ms ?? null,
    last_heard_at: isoOf(heardAt),
    started_at: isoOf(heartbeat.started_at),
    labels,
    capacity,
    placed: { channels: planned.channels, cost: server.load },
    drain: drain ? { since: drain.at.toISOString(), by: drain.by } : null,
    load,
    engines,
    channels,
    versions,
  }
}
