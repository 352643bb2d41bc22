import { z } from 'zod'
import { channelEnvelope, count, instantMs, text } from './envelope.ts'

/**
 * The truth about a stream.
 * - `off`: nothing wanted, nothing runs
 * - `placing`: wanted, but no server has it yet
 * - `starting`: a server works on it; listeners hear the filler
 * - `on_air`: the mount is connected **and** bytes flow **and** the audio is not blank
 * - `silent`: connected and flowing, but blank
 * - `failing`: wanted, not heard, and `last_error` says why; the agent keeps trying
 * - `stopping`: no longer wanted, not yet gone
 */
export const phase = z.enum(['off', 'placing', 'starting', 'on_air', 'silent', 'failing', 'stopping'])
export type Phase = z.infer<typeof phase>

/** What listeners hear, and since when they do. */
export const nowPlaying = z.object({
  /** Which entry of the as-run log this is. */
  track_play_id: z.string().max(100).optional(),
  media_id: z.string().max(64),
  title: text,
  artist: text,
  started_at: instantMs,
  /** When the engine sent its beginning: what Icecast keeps for listeners' buffers earlier. */
  queued_at: instantMs.optional(),
})

export type NowPlaying = z.infer<typeof nowPlaying>

/** Why a stream is not heard, and what a person can do about it. */
export const streamError = z.object({
  code: z.string().max(64),
  message: text,
  hint: text,
  at: instantMs,
})
export type StreamError = z.infer<typeof streamError>

/** The key of the record of a channel's second replica; that of the first is the channel's id. */
export function standbyKey(channelId: string): string {
  return `${channelId}:standby`
}

/** What the owning agent saw last. */
export const streamStatus = channelEnvelope.extend({
  event: z.literal('stream_status_update'),
  phase,
  is_standby: z.literal(true).optional(),
  server_id: z.string().max(100),
  generation: count,
  epoch: count,
  mount: z.string().max(101),
  /** When the phase began. */
  since: instantMs,
  now_playing: nowPlaying.nullable(),
  /** How many connections of our own listen to the mount; they are no listeners. */
  monitors: count,
  last_error: streamError.nullable(),
})
export type StreamStatus = z.infer<typeof streamStatus>
