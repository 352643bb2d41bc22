import type { Media, MediaJob, Sight } from '@skipcast/db'
import { z } from 'zod'
import { isTheirs } from '../domain/sight.ts'
import { counter, instant } from './views.ts'

const DAY_MS = 86_400_000
const whole = 'null until it is known.'
const OWNERS = 'For its owner and admins alone.'

export const mediaBody = z
  .object({
    id: z.string(),
    owner_id: z.string(),
    state: z.enum(['processing', 'ready', 'failed']).meta({ description: 'Only what is ready is played.' }),
    problem: z
      .string()
      .nullable()
      .optional()
      .meta({ description: `Why it failed. ${OWNERS}` }),
    kind: z
      .enum(['audio', 'video'])
      .nullable()
      .meta({ description: `video: its pictures are not sent. ${whole}` }),
    title: z.string(),
    artist: z.string(),
    album: z.string(),
    genre: z.string().meta({ description: 'As the tags of its file say.' }),
    year: z.string(),
    track: counter.nullable().meta({ description: 'Its number on the album.' }),
    public: z.enum(['public', 'private']).meta({ description: 'public: anybody with an account may read and attach it.' }),
    downloadable: z.enum(['yes', 'no']).meta({ description: 'Whether others who may read it may have its file.' }),
    duration_ms: counter.nullable().meta({ description: whole }),
    size_bytes: counter.nullable().meta({ description: `Of the file that is sent to listeners. ${whole}` }),
    loudness_lufs: z.number().nullable().meta({ description: 'Measured at import. null: silence, or not measured.' }),
    cue_in_ms: counter.meta({ description: 'Where it is heard from, in mode encode.' }),
    cue_out_ms: counter.nullable().meta({ description: 'Where it is heard to, in mode encode. null: its end.' }),
    has_cover: z.boolean(),
    likes: counter,
    original_name: z.string().optional().meta({ description: OWNERS }),
    file: z
      .object({
        size_bytes: counter.nullable(),
        content_type: z.string().nullable(),
        codec: z.string().nullable(),
        bitrate_kbps: counter.nullable(),
        channel_mode: z.enum(['mono', 'stereo', 'surround']).nullable(),
        sample_rate: counter.nullable(),
      })
      .nullable()
      .optional()
      .meta({ description: `The upload, with the tags of now. null: it was not kept. ${OWNERS}` }),
    created_at: instant,
  })
  .meta({ id: 'Media' })

/** A piece, as far as it is told to whoever has this sight: of the file that was uploaded nobody else hears anything. */
export function showMedia(media: Media, sight: Sight): z.output<typeof mediaBody> {
  const { id, state, kind, title, artist, album, genre, year, track } = media
  return {
    id,
    owner_id: media.ownerId,
    state,
    kind,
    title,
    artist,
    album,
    genre,
    year,
    track,
    public: media.visibility,
    downloadable: media.downloadable ? 'yes' : 'no',
    duration_ms: media.durationMs,
    size_bytes: media.sizeBytes,
    loudness_lufs: media.loudnessLufs,
    cue_in_ms: media.cueInMs,
    cue_out_ms: media.cueOutMs,
    has_cover: media.coverSha256 !== null,
    likes: media.likes,
    created_at: media.createdAt.toISOString(),
    ...(isTheirs(sight, media) && {
      problem: media.problem,
      original_name: media.originalName,
      file: media.fileSha256 === null ? null : showFile(media),
    }),
  }
}

function showFile(media: Media) {
  const { channelCount } = media
  const mode = channelCount === 1 ? ('mono' as const) : channelCount === 2 ? ('stereo' as const) : ('surround' as const)
  return {
    size_bytes: media.fileSizeBytes,
    content_type: media.contentType,
    codec: media.codec,
    bitrate_kbps: media.fileBitrateKbps,
    channel_mode: channelCount === null ? null : mode,
    sample_rate: media.sampleRate,
  }
}

export const trashedPieceBody = mediaBody
  .extend({ deleted_at: instant, removed_at: instant.meta({ description: 'Then it goes for good.' }) })
  .meta({ id: 'TrashedMedia' })

export function showTrashedPiece(media: Media, sight: Sight, keptDays: number): z.output<typeof trashedPieceBody> {
  const deletedAt = media.deletedAt!.getTime()
  return {
    ...showMedia(media, sight),
    deleted_at: new Date(deletedAt).toISOString(),
    removed_at: new Date(deletedAt + keptDays * DAY_MS).toISOString(),
  }
}

export const duplicateBody = mediaBody
  .extend({ duplicate_of: z.string().meta({ description: 'The piece that you have of this file already: this one.' }) })
  .meta({ id: 'DuplicateMedia' })

const JOB_NAMES = {
  import_media: 'import',
  derive_media: 'derive',
  retag_media: 'retag',
  make_cover: 'cover',
  make_artwork: 'artwork',
} as const

export const mediaJobBody = z
  .object({
    id: z.string(),
    kind: z.enum(['import', 'derive', 'retag', 'cover', 'artwork']),
    state: z.enum(['waiting', 'running', 'done', 'failed']),
    percent: counter,
    problem: z.string().nullable().meta({ description: 'Why it failed.' }),
    created_at: instant,
    updated_at: instant,
  })
  .meta({ id: 'MediaJob' })

export function showMediaJob(job: MediaJob): z.output<typeof mediaJobBody> {
  const { id, state, percent, problem } = job
  return {
    id,
    kind: JOB_NAMES[job.kind as keyof typeof JOB_NAMES],
    state,
    percent,
    problem,
    created_at: job.createdAt.toISOString(),
    updated_at: job.updatedAt.toISOString(),
  }
}
