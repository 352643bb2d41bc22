import { z } from 'zod'
import { channelEnvelope, count, text } from './envelope.ts'

/** A channel's listeners, on all Icecasts together, as their statistics show them. `count` leaves out our own monitors. */
export const listenerMetric = channelEnvelope.extend({
  event: z.literal('listener_count_update'),
  mount: z.string().max(101),
  count,
  peak: count,
  bitrate_kbps: count.nullable(),
  title: text.nullable(),
  /** Since the present source connected. */
  uptime_s: count,
  /**
   * Where several Icecasts are asked: those that have the channel, each as it sees itself, so with our monitors. Null: it had the channel, but
   * does not answer now, so that `count` is without its listeners.
   */
  icecasts: z
    .array(z.object({ icecast: z.string().max(300), connections: count.nullable(), peak: count.nullable() }))
    .max(50)
    .optional(),
})
export type ListenerMetric = z.infer<typeof listenerMetric>
