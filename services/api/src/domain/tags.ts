import type { FileTags, MediaTags } from '@skipcast/contracts'
import { tidy } from './text.ts'

/** Most characters of a title, an artist, an album or a genre. */
const MAX_TAG = 200
const MAX_FILE_NAME = 255

/** What a piece is called until its tags are known, and where they say nothing: as its file is, without the ending. */
export function titleOf(fileName: string): string {
  const stem = fileName.replace(/\.[A-Za-z0-9]{1,5}$/, '')
  return tidy(stem, MAX_TAG) || 'Untitled'
}

/** What a file says of itself, made fit to store and show. All of it comes from a stranger, and is text and nothing else. */
export function readTags(tags: FileTags, piece: { readonly title: string }): MediaTags {
  const text = (value: string | undefined) => tidy(value ?? '', MAX_TAG)
  const [track = ''] = /^\s*\d{1,4}/.exec(tags.track ?? '') ?? []
  const [year = ''] = /\d{4}/.exec(tags.date ?? '') ?? []
  return {
    title: text(tags.title) || piece.title,
    artist: text(tags.artist),
    album: text(tags.album),
    genre: text(tags.genre),
    year,
    track: track.trim() === '' ? null : Number(track),
  }
}

/** The name a file had on its owner's machine, without folders; for people to recognise, never a path of ours. */
export function originalName(fileName: string): string {
  return tidy(fileName.split(/[/\\]/).at(-1) ?? '', MAX_FILE_NAME)
}
