import { tidy } from './text.ts'

export interface Tags {
  readonly title: string
  readonly artist: string
  readonly album: string
}

/** Most characters of a title, an artist or an album. */
const MAX_TAG = 200
const MAX_FILE_NAME = 255

/**
 * What a piece is called: by its tags (their names come in any case), or, where it has no title, by its file's name. All of it comes
 * from a stranger, and is text to show and nothing else.
 */
export function readTags(tags: Readonly<Record<string, unknown>>, fileName: string): Tags {
  const values = new Map(Object.entries(tags).map(([name, value]) => [name.toLowerCase(), value]))
  const text = (name: string) => {
    const value = values.get(name)
    return typeof value === 'string' ? tidy(value, MAX_TAG) : ''
  }
  const stem = fileName.replace(/\.[A-Za-z0-9]{1,5}$/, '')
  return { title: text('title') || tidy(stem, MAX_TAG) || 'Untitled', artist: text('artist'), album: text('album') }
}

/** The name a file had on its owner's machine, without folders; for people to recognise, never a path of ours. */
export function originalName(fileName: string): string {
  return tidy(fileName.split(/[/\\]/).at(-1) ?? '', MAX_FILE_NAME)
}
