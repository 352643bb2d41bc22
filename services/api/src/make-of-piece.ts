import { createHash } from 'node:crypto'
import type { MediaFormat } from '@skipcast/contracts'
import type { Media } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import { coverJob, deriveJob, retagJob } from './domain/media-job.ts'
import type { ApiPorts } from './ports.ts'
import { takePicture } from './take-picture.ts'

/** 32 bits. */
const SAMPLE_BYTES = 4
const MOST_SAMPLE_RATE = 192_000
const MOST_CHANNELS = 8
/** 320 kbit/s. */
const LOSSY_BYTES_PER_S = 40_000
const LOSSLESS: readonly string[] = ['flac', 'wav'] satisfies MediaFormat[]
/** What is cut and stays as good: in its own format, at a bitrate of ours. */
const LOSSY_CODECS: readonly (string | null)[] = ['mp3', 'vorbis', 'opus', 'aac']
/** A part of it takes no more than all of it. */
const KEPT = /^(flac|alac|ape|wavpack|tta|pcm_[sf](16|24|32|64)[lb]e)$/

type Ports = Pick<ApiPorts, 'stores' | 'settings' | 'jobs' | 'incomingFiles' | 'mediaStore'>

/**
 * Makes another piece of this one's file, by cutting it or converting it; it belongs to the same owner, and is processed as an upload is.
 * What it may take at most counts until it is ready.
 * Rejects with CONFLICT when there is no file, BAD_REQUEST for a cut beyond its end, QUOTA_EXCEEDED, DATABASE_UNAVAILABLE.
 */
export function derivePiece(
  { stores, jobs, settings }: Pick<ApiPorts, 'stores' | 'jobs' | 'settings'>,
  source: Media,
  wish: { readonly format?: MediaFormat; readonly fromMs?: number | undefined; readonly toMs?: number | undefined },
): Promise<Media> {
  const original = requireFile(source)
  const { fromMs, toMs } = wish
  if (Math.max(fromMs ?? 0, toMs ?? 0) >= (source.durationMs ?? 0) + 1 || (fromMs ?? 0) >= (source.durationMs ?? 0))
    throw new AppError('BAD_REQUEST', `from_ms, to_ms: must be within the piece, which lasts ${source.durationMs ?? 0} ms`)
  const { ownerId, title, artist, album, genre, year, track, originalName, coverSha256 } = source
  const record = {
    ownerId,
    title,
    artist,
    album,
    genre,
    year,
    track,
    originalName,
    coverSha256,
    fileSizeBytes: mostBytes(source, wish.format),
    // What it is made of stands for what was uploaded.
    originalSha256: createHash('sha256')
      .update(JSON.stringify([original, wish]))
      .digest('hex'),
  }
  return stores.media.add(record, (media) => deriveJob(jobs, media, original, wish), settings.mediaQuotaBytes)
}

function mostBytes(
  { durationMs, fileSizeBytes, sampleRate, channelCount, codec }: Media,
  format: MediaFormat | undefined,
): number {
  const size = fileSizeBytes ?? 0
  if (format === undefined && KEPT.test(codec ?? '')) return size
  const isLossy = format === undefined ? LOSSY_CODECS.includes(codec) : !LOSSLESS.includes(format)
  const perSecond = isLossy
    ? LOSSY_BYTES_PER_S
    : SAMPLE_BYTES * (channelCount ?? MOST_CHANNELS) * (sampleRate ?? MOST_SAMPLE_RATE)
  const made = Math.ceil(((durationMs ?? 0) / 1000) * perSecond)
  return format === undefined ? Math.max(size, made) : made
}

/**
 * Takes in a picture as it comes, and asks for a cover to be made of it, which then goes into the piece's file. Rejects with TOO_LARGE, QUOTA_EXCEEDED, CONFLICT (not ready),
 * NO_SPACE, STORE_UNAVAILABLE, DATABASE_UNAVAILABLE, and with what `bytes` fail with.
 */
export async function changeCover(ports: Ports, media: Media, bytes: AsyncIterable<Buffer>): Promise<Media> {
  requireReady(media)
  const picture = await takePicture(ports, media.ownerId, bytes)
  return await ports.stores.media.change(
    media.id,
    () => ({}),
    (piece) => coverJob(ports.jobs, piece, picture),
  )
}

/** Takes the cover off a piece, also what is in the making, and out of its file. Rejects with NOT_FOUND, CONFLICT (not ready), DATABASE_UNAVAILABLE. */
export function removeCover({ stores, jobs }: Pick<Ports, 'stores' | 'jobs'>, media: Media): Promise<Media> {
  return stores.media.change(
    media.id,
    (piece) => {
      requireReady(piece) // its import may bring a cover yet
      return { coverSha256: null }
    },
    (after, before) => (before.coverSha256 === null ? null : retagJob(jobs, after)),
  )
}

function requireFile(source: Media): string {
  requireReady(source)
  if (source.fileSha256 !== null) return source.fileSha256
  throw new AppError('CONFLICT', 'The file of this piece was not kept. Upload it again.')
}

function requireReady({ state }: Media): void {
  if (state !== 'ready') throw new AppError('CONFLICT', 'This piece is not ready.')
}
