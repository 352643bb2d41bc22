import type { Media } from '@skipcast/db'
import type { MediaKey } from '@skipcast/media-store'
import { isForAll } from './sight.ts'

/** What can be had of a piece: what is heard of it, the file as it was uploaded (with the tags of now), its cover, its drawing (JSON of audiowaveform). */
export const mediaParts = ['file', 'original', 'cover', 'waveform'] as const
export type MediaPart = (typeof mediaParts)[number]

export interface ServedFile {
  readonly key: MediaKey
  /** Of our own choice, never an uploader's. */
  readonly contentType: string
  /** What a browser calls it when it is saved; made of what people wrote. */
  readonly fileName: string
}

/** Nothing that a browser would run or show as a page. */
const HARMLESS = /^(audio|video)\/[\w.+-]+$/
const BYTES = 'application/octet-stream'

const FILES: Readonly<Record<MediaPart, (media: Media) => ServedFile | null>> = {
  file: ({ sha256, title }) =>
    sha256 === null ? null : { key: { kind: 'air', sha256 }, contentType: 'audio/mpeg', fileName: `${title}.mp3` },
  original: ({ fileSha256: sha256, contentType, originalName }) =>
    sha256 === null
      ? null
      : { key: { kind: 'originals', sha256 }, contentType: harmless(contentType), fileName: originalName || 'file' },
  cover: ({ coverSha256: sha256, title }) =>
    sha256 === null ? null : { key: { kind: 'covers', sha256 }, contentType: 'image/jpeg', fileName: `${title}.jpg` },
  waveform: ({ waveformSha256: sha256, title }) =>
    sha256 === null ? null : { key: { kind: 'waveforms', sha256 }, contentType: 'application/json', fileName: `${title}.json` },
}

/** The file behind a part of a piece; null: it has none, or not yet. */
export function fileOf(media: Media, part: MediaPart): ServedFile | null {
  return FILES[part](media)
}

/** Whether all who have an account may have this part. */
export function isPartForAll(media: Media, part: MediaPart): boolean {
  return isForAll(media) && (part !== 'original' || media.downloadable)
}

function harmless(contentType: string | null): string {
  return contentType !== null && HARMLESS.test(contentType) ? contentType : BYTES
}
