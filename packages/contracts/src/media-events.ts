import { z } from 'zod'
import { count, envelope, text } from './envelope.ts'
import { contentHash } from './media-jobs.ts'

/** What became of a job, told by who did it. The same however often the job is done. */
const told = envelope.extend({
  media_id: z.string().min(1).max(64),
  job_id: z.string().min(1).max(200),
})

const mediaProgress = told.extend({
  event: z.literal('media_progress'),
  percent: z.int().min(0).max(100),
})

/** The file of a piece as its owner may download it (kind `originals` of the media store). */
const fileFields = z.object({
  sha256: contentHash,
  size_bytes: count,
  /** As it is served: of a closed list, from the file's content. */
  content_type: z.string().max(100),
  /** ffmpeg's names. */
  container: z.string().max(100),
  codec: z.string().max(100),
  bitrate_kbps: count.nullable(),
  channels: count,
  sample_rate: count,
})

/** What is heard in the air file. */
const soundFields = z.object({
  loudness_lufs: z.number().nullable(),
  peak_dbfs: z.number().nullable(),
  cue_in_ms: count,
  cue_out_ms: count.nullable(),
})

/** What the file says of itself, as it says it: text of a stranger, for nothing but showing once it was tidied. Whatever else it says is dropped. */
const fileTags = z.object({
  title: text.optional(),
  artist: text.optional(),
  album: text.optional(),
  genre: text.optional(),
  date: text.optional(),
  track: text.optional(),
})
export type FileTags = z.infer<typeof fileTags>

/** A piece can be played. */
const mediaReady = told.extend({
  event: z.literal('media_ready'),
  /** `video`: it has moving pictures too, which are not sent. */
  kind: z.enum(['audio', 'video']),
  tags: fileTags,
  air: z.object({ sha256: contentHash, size_bytes: count, duration_ms: count }),
  file: fileFields,
  sound: soundFields,
  cover: contentHash.nullable(),
  waveform: contentHash,
})

/** The file of a piece is another one now. */
const mediaRetagged = told.extend({ event: z.literal('media_retagged'), file: fileFields })

const coverMade = told.extend({ event: z.literal('cover_made'), cover: contentHash })

/** The job can not be done. A piece that was ready before stays as it is. */
const mediaFailed = told.extend({
  event: z.literal('media_failed'),
  /** For the owner: what is wrong and what to do. */
  problem: text,
})

const toldOfChannel = envelope.extend({
  channel_id: z.string().min(1).max(64),
  job_id: z.string().min(1).max(200),
})

/** `artwork` is of the kind `covers` of the media store. */
const artworkMade = toldOfChannel.extend({ event: z.literal('artwork_made'), artwork: contentHash })

/** The channel keeps the artwork that it had. */
const artworkFailed = toldOfChannel.extend({
  event: z.literal('artwork_failed'),
  /** For the owner: what is wrong and what to do. */
  problem: text,
})

const artworkEvent = z.discriminatedUnion('event', [artworkMade, artworkFailed])
/** What became of the work on a channel’s artwork. */
export type ArtworkEvent = z.infer<typeof artworkEvent>

const pieceEvent = z.discriminatedUnion('event', [mediaProgress, mediaReady, mediaRetagged, coverMade, mediaFailed])
/** What became of the work on a piece. */
export type PieceEvent = z.infer<typeof pieceEvent>

export const mediaEvent = z.discriminatedUnion('event', [...pieceEvent.options, ...artworkEvent.options])
export type MediaEvent = z.infer<typeof mediaEvent>
