import { z } from 'zod'
import { count, envelope, instantMs } from './envelope.ts'

const MOST_AWAY_MS = 600_000

/** A server tells that it lives, what it can carry and what it carries. Key: server id. */
export const serverHeartbeat = envelope.extend({
  event: z.literal('server_heartbeat'),
  server_id: z.string().min(1).max(100),
  started_at: instantMs,
  labels: z.record(z.string(), z.string()),
  /** In cost units: one channel in copy mode costs 1. */
  capacity: count,
  load: count,
  engines: count,
  channels: count,
  versions: z.record(z.string(), z.string()),
  /** It hands over to its next process, and its engines play on: so long it may be silent without being lost. */
  away_ms: count.max(MOST_AWAY_MS).optional(),
  /** How many of its channels are heard at Icecast. */
  heard: count.optional(),
  /** For how long none of its channels has been heard, though engines play them: it does not reach Icecast, or Icecast hangs. Absent: that is not so, nor was lately. */
  cut_off_ms: count.optional(),
})
export type ServerHeartbeat = z.infer<typeof serverHeartbeat>
