import type { Media } from '@skipcast/db'
import type { MediaKey } from '@skipcast/media-store'

/** What can be had of a piece: what is heard of it. */
export const mediaParts = ['file'] as const
export type MediaPart = (typeof mediaParts)[number]

export interface ServedFile {
  readonly key: MediaKey
  /** Of our own choice, never an uploader's. */
  readonly contentType: string
  /** What a browser calls it when it is saved; made of what people wrote. */
  readonly fileName: string
}

const FILES: Readonly<Record<MediaPart, (media: Media) => ServedFile | null>> = {
  file: ({ sha256, title }) =>
    sha256 === null ? null : { key: { kind: 'air', sha256 }, contentType: 'audio/mpeg', fileName: `${title}.mp3` },
}

/** The file behind a part of a piece; null: it has none. */
export function fileOf(media: Media, part: MediaPart): ServedFile | null {
  return FILES[part](media)
}
