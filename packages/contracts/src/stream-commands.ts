import { z } from 'zod'
import { channelEnvelope, count, instantMs, text } from './envelope.ts'

/** One playable file of a channel, in the format that engines play as it is. Its name in any store is its content hash. */
export const track = z.object({
  media_id: z.string().max(64),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  size_bytes: count,
  duration_ms: count,
  title: text,
  artist: text,
  /** What follows is for mode `encode` alone. How much louder or softer it is sent; absent: as it is. */
  gain_db: z.number().min(-60).max(30).optional(),
  /** Where in the file it begins and ends; absent: at the file's ends. */
  cue_in_ms: count.optional(),
  cue_out_ms: count.optional(),
})
export type Track = z.infer<typeof track>

/** `copy` sends the files' frames as they are; `encode` decodes and encodes again (needed for anything that mixes). */
export const streamMode = z.enum(['copy', 'encode'])

/** What a stream is sent as: MP3, Opus in Ogg, AAC in ADTS. All but MP3 need mode `encode`. */
export const streamFormat = z.enum(['mp3', 'opus', 'aac'])

/** In cost units. Measured: `engine-cost` in packages/bench. */
const COPY_COST = 1
const ENCODE_COSTS = { mp3: 7, opus: 9, aac: 8 } as const satisfies Record<z.infer<typeof streamFormat>, number>

/** What a stream takes of a server's capacity, in cost units: one that is copied costs 1. A second replica costs the same again. */
export function streamCost(stream: {
  readonly mode: z.infer<typeof streamMode>
  readonly format?: z.infer<typeof streamFormat> | undefined
}): number {
  return stream.mode === 'copy' ? COPY_COST : ENCODE_COSTS[stream.format ?? 'mp3']
}

/** Of one channel; far beyond what a server carries. */
export const MOST_LISTENERS = 1_000_000

/** An engine holds so much decoded audio per channel in memory. */
export const MOST_CROSSFADE_MS = 15_000

/**
 * A channel has two mounts at Icecast, `/{slug}` and `/w/{slug}`, and each replica feeds one of them. Who comes asks for `/{slug}` and is sent to the one where the
 * programme is; so a newcomer can begin on the other, and listeners are handed on when it runs.
 */
const mount = z.string().regex(/^(\/w)?\/[a-z0-9][a-z0-9-]{0,99}$/, 'a mount is / or /w/ and a slug')
const serverId = z.string().max(100)

/**
 * The second replica of a stream: another server plays the same into the channel's other mount, where listeners fall to when the primary's source
 * ends. It has an epoch and a token of its own; epochs of both are counted together, and the standby's is the higher one, so that it takes over with what it has.
 */
const standby = z.object({ server_id: serverId, epoch: count, mount, source_token: z.string().max(500) })

/**
 * From whom the server takes the stream over, where nobody is in a hurry: the one before plays on into its mount, starts nothing anew, and gives up once the
 * newer epoch has put it out (`track_end`: who takes over begins when the track ends that is heard now). Absent: it gives up at once.
 */
const takesOver = z.object({ server_id: serverId, at: z.enum(['now', 'track_end']) })

/** What was heard last, and when its beginning was sent: who begins anew goes on where that is by now. */
const playing = z.object({ media_id: z.string().max(64), sent_at: instantMs })

/**
 * The whole wanted stream of one channel. `generation` grows with every change of any kind, `epoch` with every
 * placement: an agent acts on the newest and ignores the rest. `source_token` is the channel's password at Icecast.
 */
const startStream = channelEnvelope.extend({
  event: z.literal('start_stream'),
  generation: count,
  epoch: count,
  /** The server that shall run it; null while none is free. */
  server_id: serverId.nullable(),
  standby: standby.optional(),
  takes_over: takesOver.optional(),
  /** The server that had it in the epoch before, if another had. */
  moved_from: serverId.optional(),
  playing: playing.optional(),
  mount,
  source_token: z.string().max(500),
  name: text,
  description: text,
  genre: text,
  mode: streamMode,
  bitrate_kbps: z.int().min(32).max(320),
  /** Absent: MP3. */
  format: streamFormat.optional(),
  /** How long one track sounds together with the next. Only in mode `encode`; absent: not at all. */
  crossfade_ms: z.int().min(0).max(MOST_CROSSFADE_MS).optional(),
  tracks: z.array(track).max(10_000),
  /** Who may listen: `signed`, whoever brings a listen token that is still good. Absent: everybody. */
  listeners: z.enum(['signed']).optional(),
  /** So many at once, on all mounts and servers together; who listens is never cut off for it. Absent: no limit. */
  max_listeners: z.int().min(1).max(MOST_LISTENERS).optional(),
})

const stopStream = channelEnvelope.extend({
  event: z.literal('stop_stream'),
  generation: count,
  epoch: count,
  server_id: serverId.nullable(),
  /** The epoch up to which second replicas are refused. */
  standby: standby.omit({ source_token: true }).optional(),
  mount,
})

export const streamCommand = z.discriminatedUnion('event', [startStream, stopStream])
export type StartStream = z.infer<typeof startStream>
export type StreamCommand = z.infer<typeof streamCommand>

/**
 * Whether `next` was superseded by `kept` before it came: something that was given up may come late, from a connection that comes to life again. By the
 * generation; but a command of a database that was put back from a backup counts from less, and is known by its being given later.
 */
export function isSuperseded(next: StreamCommand, kept: StreamCommand): boolean {
  return next.generation < kept.generation && next.occurred_at <= kept.occurred_at
}
