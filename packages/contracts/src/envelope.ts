import { z } from 'zod'

/** Longest text of a person that travels on the bus, in characters: names, titles, descriptions. */
const MAX_TEXT = 2000
export const text = z.string().max(MAX_TEXT)
export const count = z.int().nonnegative()
/** Milliseconds since the Unix epoch. */
export const instantMs = z.int().nonnegative()

/**
 * What every message carries, beside its own fields. Snake case on the wire.
 * `timestamp` is in whole seconds (as readers of the first version expect), `occurred_at` is the same moment in ms.
 */
export const envelope = z.object({
  id: z.string().min(1).max(200),
  version: z.int().positive(),
  timestamp: count,
  occurred_at: instantMs,
  application: z.string(),
  environment: z.string(),
  metadata: z.record(z.string(), z.unknown()).default({}),
})

/** The envelope of everything that is about one channel. */
export const channelEnvelope = envelope.extend({
  channel_id: z.string().min(1).max(64),
  channel_slug: z.string().min(1).max(100),
})

/** Fills the envelope of a new message. `id` is given where the same fact may be told twice (it must then be the same). */
export function stamp(context: { application: string; environment: string }, at: number, id: string) {
  return {
    id,
    version: 1,
    timestamp: Math.floor(at / 1000),
    occurred_at: at,
    application: context.application,
    environment: context.environment,
    metadata: {},
  }
}
