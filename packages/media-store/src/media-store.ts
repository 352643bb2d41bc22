import type { Readable } from 'node:stream'

/** `air`: what engines play; `originals`: uploads as they came; the rest is made from these. */
export const mediaKinds = ['air', 'originals', 'covers', 'waveforms'] as const
export type MediaKind = (typeof mediaKinds)[number]

/** An object's name: its content. No user's text is ever part of one. */
export interface MediaKey {
  readonly kind: MediaKind
  /** 64 hex digits, lower case. */
  readonly sha256: string
}

export interface StoredObject extends MediaKey {
  readonly sizeBytes: number
  /** When it was put last. */
  readonly storedAt: Date
}

/** Bytes `first` to `last`, both of them included, as HTTP counts. */
export interface ByteRange {
  readonly first: number
  readonly last: number
}

/**
 * Where media are kept: objects by the hash of their content, which never change. Nobody sees one before it is whole.
 * Every method may reject with STORE_UNAVAILABLE: nothing is known then, and it may be tried again.
 */
export interface MediaStore {
  /**
   * Takes over the file at `path` of this machine, whose content has this hash; resolves when it is safely kept, and the file is gone.
   * What is there already is the same, and counts as new from now on. Rejects with NO_SPACE.
   */
  put(key: MediaKey, path: string): Promise<void>
  /** Rejects with MEDIA_MISSING, before anything can be read. A range must lie within the object. */
  open(key: MediaKey, range?: ByteRange): Promise<Readable>
  /** null: there is none. */
  stat(key: MediaKey): Promise<StoredObject | null>
  /**
   * Puts a copy at `path` of this machine, where there is no file yet; a caller must not write to it, for where it can be it is a link. `reserveBytes` of
   * the disk stay free. Rejects with MEDIA_MISSING, or NO_SPACE for what does not fit there.
   */
  fetchTo(key: MediaKey, path: string, room?: { readonly reserveBytes: number }): Promise<void>
  /** Removing what is not there does nothing. */
  remove(key: MediaKey): Promise<void>
  /** All of one kind, in no order. */
  list(kind: MediaKind): AsyncIterable<StoredObject>
  /** Removes what puts left behind that were begun before then and never ended. Resolves to how many. */
  removeUnfinished(before: Date): Promise<number>
}

const SHA256 = /^[0-9a-f]{64}$/

/** The hash, if it is one. Throws RangeError for anything else, so that nothing else becomes part of a path. */
export function checkedHash({ sha256 }: MediaKey): string {
  if (!SHA256.test(sha256)) throw new RangeError('not a hash')
  return sha256
}
