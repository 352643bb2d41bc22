import { z } from 'zod'
import { channelEnvelope, count } from './envelope.ts'

/** A listener's connection ended. No address and no agent string: those are personal data. */
const listenerSession = channelEnvelope.extend({
  event: z.literal('listener_session'),
  session_id: z.string().max(100),
  duration_s: count,
  /** A pseudonym of player and address that changes each day; absent where it was not known. */
  listener: z.string().max(100).optional(),
})

export const userInteraction = z.discriminatedUnion('event', [listenerSession])
export type UserInteraction = z.infer<typeof userInteraction>
