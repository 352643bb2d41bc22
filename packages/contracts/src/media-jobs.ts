import { z } from 'zod'
import { count, envelope, text } from './envelope.ts'

/** The hash of a file's content, which is its name in the media store. */
export const contentHash = z.string().regex(/^[0-9a-f]{64}$/)

/** What a piece is called, to be written into its file. */
const mediaTags = z.object({
  title: text,
  artist: text,
  album: text,
  genre: text,
  /** Empty, or four digits. */
  year: z.string().regex(/^(\d{4})?$/),
  /** Its number on the album. */
  track: count.nullable(),
})
export type MediaTags = z.infer<typeof mediaTags>

/** What a downloadable file can be made into. */
export const mediaFormat = z.enum(['mp3', 'flac', 'ogg', 'opus', 'm4a', 'wav'])
export type MediaFormat = z.infer<typeof mediaFormat>

/** The one format of all air files. */
const airFormat = z.object({ bitrate_kbps: count, sample_rate: count })

/**
 * Work on one piece. `id` is the job's; done twice it gives the same. `original` names the file in the media store (kind `originals`) that the
 * work begins with.
 */
const job = envelope.extend({
  media_id: z.string().min(1).max(64),
  original: contentHash,
})

/** The file becomes an air file; what it is, what is heard in it and what it says of itself is told. */
const importMedia = job.extend({
  event: z.literal('import_media'),
  air: airFormat,
})

/** Another file is made of the original, by cutting it, converting it or both; then the piece is imported from that one. */
const deriveMedia = job.extend({
  event: z.literal('derive_media'),
  air: airFormat,
  /** Absent: that of the original. */
  format: mediaFormat.optional(),
  /** Where in the original it begins and ends; absent: at its ends. */
  from_ms: count.optional(),
  to_ms: count.optional(),
  tags: mediaTags,
  /** The picture that goes into it, from the store (kind `covers`). */
  cover: contentHash.nullable(),
})

/** The original's own tags, and its picture, become these. The sound is not touched. */
const retagMedia = job.extend({
  event: z.literal('retag_media'),
  tags: mediaTags,
  cover: contentHash.nullable(),
})

/** `original` is a picture: it is looked at, made small and harmless, and becomes the cover of the piece. */
const makeCover = job.extend({ event: z.literal('make_cover') })

/** The same for the artwork of a channel. */
const makeArtwork = envelope.extend({
  event: z.literal('make_artwork'),
  channel_id: z.string().min(1).max(64),
  original: contentHash,
})

export const mediaJob = z.discriminatedUnion('event', [importMedia, deriveMedia, retagMedia, makeCover, makeArtwork])
export type MediaJob = z.infer<typeof mediaJob>
