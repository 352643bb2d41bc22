/**
 * A channel has two mounts, and Icecast may know no others: `/{slug}`, by which people ask for it, and `/w/{slug}`. They are equals: listeners are on one
 * of them (see `activeMount`); on the other one a second replica plays, or a newcomer begins, or silence waits for the first one's end.
 */
export interface Mount {
  readonly mount: string
  /** `/{slug}`. */
  readonly channelMount: string
}

/** A channel's path, as a regular expression. */
export const SLUG = '/[a-z0-9][a-z0-9-]{0,99}'
const SECOND = '/w'
/** Either mount of a channel. */
export const MOUNT = `(${SECOND})?${SLUG}`
const SHAPE = new RegExp(`^(${SECOND})?(${SLUG})$`)

/** What a path names, exactly as Icecast would read it; null for every other path, encoded or dotted ones included. */
export function readMount(path: string): Mount | null {
  const match = SHAPE.exec(path)
  return match ? { mount: path, channelMount: match[2]! } : null
}

/** The other mount of the channel whose mount this is. */
export function otherMount(mount: string): string {
  return mount.startsWith(`${SECOND}/`) ? mount.slice(SECOND.length) : `${SECOND}${mount}`
}

/** Both mounts of a channel. */
export function mountsOf(channelMount: string): readonly [string, string] {
  return [channelMount, `${SECOND}${channelMount}`]
}
