import { z } from 'zod'
import { channelEnvelope, count, instantMs, text } from './envelope.ts'
import { streamError } from './stream-status.ts'

const onServer = channelEnvelope.extend({ server_id: z.string().max(100), epoch: count })

export const streamEvent = z.discriminatedUnion('event', [
  /** Only once it is heard: see phase `on_air`. */
  onServer.extend({ event: z.literal('channel_started'), mount: z.string().max(101) }),
  onServer.extend({ event: z.literal('channel_stopped'), mount: z.string().max(101) }),
  /** Another server has it: told by that one, once it is heard there. */
  onServer.extend({ event: z.literal('channel_moved'), from_server_id: z.string().max(100), mount: z.string().max(101) }),
  onServer.extend({ event: z.literal('channel_failed'), error: streamError }),
  /** A track play began to be heard. `track_play_id` is the same however often the event is told. */
  onServer.extend({
    event: z.literal('track_started'),
    track_play_id: z.string().max(100),
    media_id: z.string().max(64),
    title: text,
    artist: text,
    /** When listeners heard its beginning. */
    started_at: instantMs,
    /** When the engine sent it: what Icecast keeps for listeners' buffers earlier. */
    queued_at: instantMs.optional(),
  }),
  /** A track that the engine could not play. */
  onServer.extend({ event: z.literal('track_failed'), media_id: z.string().max(64), reason: text }),
])
export type StreamEvent = z.infer<typeof streamEvent>
