import type { FileTags } from '@skipcast/contracts'

const MAX_TAG = 2000

/** What we take of a file's tags, by the names they have in files. All else is dropped, whoever it is meant for (`liq_*`, `replaygain_*`, lyrics, …). */
const NAMES: Readonly<Record<keyof FileTags, readonly string[]>> = {
  title: ['title'],
  artist: ['artist'],
  album: ['album'],
  genre: ['genre'],
  date: ['date', 'year', 'originaldate'],
  track: ['track', 'tracknumber'],
}

/** Reads the tags of a file; names come in any case. */
export function fileTags(tags: Readonly<Record<string, unknown>>): FileTags {
  const values = new Map(Object.entries(tags).map(([name, value]) => [name.toLowerCase(), value]))
  const found: Partial<Record<keyof FileTags, string>> = {}
  for (const [field, names] of Object.entries(NAMES) as [keyof FileTags, readonly string[]][]) {
    const value = names.map((name) => values.get(name)).find((given) => typeof given === 'string')
    if (typeof value === 'string') found[field] = value.slice(0, MAX_TAG)
  }
  return found
}
