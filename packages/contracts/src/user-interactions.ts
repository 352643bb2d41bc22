import { z } from 'zod'
import { channelEnvelope, count, envelope } from './envelope.ts'

/** A listener's connection ended. No address and no agent string: those are personal data. */
const listenerSession = channelEnvelope.extend({
  event: z.literal('listener_session'),
  session_id: z.string().max(100),
  duration_s: count,
  /** A pseudonym of player and address that changes each day; absent where it was not known. */
  listener: z.string().max(100).optional(),
})

/** Somebody likes a channel, who did not before. `metadata` says whose it is, and whether it is private. */
const channelLiked = channelEnvelope.extend({
  event: z.literal('channel_liked'),
  user_id: z.string().max(64),
})

/** The same of a piece. `metadata` says whose it is, and its `media_type`: audio or video. */
const mediaLiked = envelope.extend({
  event: z.literal('media_liked'),
  media_id: z.string().min(1).max(64),
  user_id: z.string().max(64),
})

export const userInteraction = z.discriminatedUnion('event', [listenerSession, channelLiked, mediaLiked])
export type ListenerSession = z.infer<typeof listenerSession>
export type UserInteraction = z.infer<typeof userInteraction>
