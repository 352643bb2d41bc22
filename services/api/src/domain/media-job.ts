import { stamp, type MediaFormat, type MediaJob, type MediaTags } from '@skipcast/contracts'
import { newId, type Channel, type Media } from '@skipcast/db'

/** What every job says of where it comes from, and how air files are made. */
export interface JobContext {
  readonly origin: { readonly application: string; readonly environment: string }
  readonly airFormat: { readonly bitrateKbps: number; readonly sampleRate: number }
}

/** The piece has its file, and nothing that was made of it. */
export function importJob(context: JobContext, media: Pick<Media, 'id'>, original: string): MediaJob {
  return { ...about(context, media, original), event: 'import_media', air: airOf(context) }
}

/** The piece is made of the file of another, in another format, of a part, or both. */
export function deriveJob(
  context: JobContext,
  media: Media,
  original: string,
  wish: { readonly format?: MediaFormat; readonly fromMs?: number | undefined; readonly toMs?: number | undefined },
): MediaJob {
  return {
    ...about(context, media, original),
    event: 'derive_media',
    air: airOf(context),
    ...(wish.format !== undefined && { format: wish.format }),
    ...(wish.fromMs !== undefined && { from_ms: wish.fromMs }),
    ...(wish.toMs !== undefined && { to_ms: wish.toMs }),
    tags: tagsOf(media),
    cover: media.coverSha256,
  }
}

/** The picture in the store (kind `originals`) becomes the cover of the piece. */
export function coverJob(context: JobContext, media: Media, picture: string): MediaJob {
  return { ...about(context, media, picture), event: 'make_cover' }
}

/** The picture in the store (kind `originals`) becomes the artwork of the channel. */
export function artworkJob({ origin }: JobContext, { id }: Pick<Channel, 'id'>, picture: string): MediaJob {
  return { ...stamp(origin, Date.now(), newId()), event: 'make_artwork', channel_id: id, original: picture }
}

/** The file is to say what the piece is called now; null: there is no file. */
export function retagJob(context: JobContext, media: Media): MediaJob | null {
  if (media.fileSha256 === null || media.state !== 'ready') return null
  return { ...about(context, media, media.fileSha256), event: 'retag_media', tags: tagsOf(media), cover: media.coverSha256 }
}

function about({ origin }: JobContext, { id }: Pick<Media, 'id'>, original: string) {
  return { ...stamp(origin, Date.now(), newId()), media_id: id, original }
}

function airOf({ airFormat }: JobContext) {
  return { bitrate_kbps: airFormat.bitrateKbps, sample_rate: airFormat.sampleRate }
}

function tagsOf({ title, artist, album, genre, year, track }: Media): MediaTags {
  return { title, artist, album, genre, year, track }
}
