import { z } from 'zod'
import { channelEnvelope, count, text } from './envelope.ts'

/** One mount as Icecast's statistics show it. `count` leaves out our own monitors. */
export const listenerMetric = channelEnvelope.extend({
  event: z.literal('listener_count_update'),
  mount: z.string().max(101),
  count,
  peak: count,
  bitrate_kbps: count.nullable(),
  title: text.nullable(),
  /** Since the present source connected. */
  uptime_s: count,
})
export type ListenerMetric = z.infer<typeof listenerMetric>
