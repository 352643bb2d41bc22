import type { Media, MediaChange } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import { retagJob } from './domain/media-job.ts'
import type { ApiPorts } from './ports.ts'

/** What somebody wishes of a piece; absent: as it is. */
export interface PieceWish {
  readonly title?: string | undefined
  readonly artist?: string | undefined
  readonly album?: string | undefined
  readonly year?: string | undefined
  readonly track?: number | null | undefined
  readonly public?: 'public' | 'private' | undefined
  readonly downloadable?: 'yes' | 'no' | undefined
  readonly cue_in_ms?: number | undefined
  readonly cue_out_ms?: number | null | undefined
}

const TAGS = ['title', 'artist', 'album', 'year', 'track'] as const

/**
 * Changes a piece: the record first; where its tags are others then, its file follows as a job. Rejects with NOT_FOUND, CONFLICT (it is not ready),
 * BAD_REQUEST (cue points that are none), DATABASE_UNAVAILABLE.
 */
export function changePiece({ stores, jobs }: Pick<ApiPorts, 'stores' | 'jobs'>, id: string, wish: PieceWish): Promise<Media> {
  const isRetag = (after: Media, before: Media) => TAGS.some((name) => after[name] !== before[name])
  return stores.media.change(
    id,
    (media) => decide(media, wish),
    (after, before) => (isRetag(after, before) ? retagJob(jobs, after) : null),
  )
}

function decide(media: Media, wish: PieceWish): MediaChange {
  const tags = Object.fromEntries(TAGS.flatMap((name) => (wish[name] === undefined ? [] : [[name, wish[name]]])))
  const hasCues = wish.cue_in_ms !== undefined || wish.cue_out_ms !== undefined
  if (media.state !== 'ready' && (hasCues || Object.keys(tags).length > 0))
    throw new AppError('CONFLICT', 'This piece is not ready. Wait until it is: GET /api/media/{media}/events.')
  return {
    ...tags,
    ...(wish.public !== undefined && { visibility: wish.public }),
    ...(wish.downloadable !== undefined && { downloadable: wish.downloadable === 'yes' }),
    ...(hasCues && cuesOf(media, wish)),
  }
}

function cuesOf(media: Media, wish: PieceWish) {
  const durationMs = media.durationMs ?? 0
  const cueInMs = wish.cue_in_ms ?? media.cueInMs
  const cueOutMs = wish.cue_out_ms === undefined ? media.cueOutMs : wish.cue_out_ms
  if (cueInMs >= (cueOutMs ?? durationMs))
    throw new AppError('BAD_REQUEST', 'cue_in_ms: must be before cue_out_ms and before the end of the piece')
  if (cueOutMs !== null && cueOutMs > durationMs)
    throw new AppError('BAD_REQUEST', `cue_out_ms: must be up to ${durationMs}, where the piece ends, or null`)
  return { cueInMs, cueOutMs }
}
