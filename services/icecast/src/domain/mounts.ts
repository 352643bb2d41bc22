/**
 * The mounts that Icecast may know, and no others:
 * - `/{slug}`: what people listen to; the programme, or silence while there is none
 * - `/w/{slug}`: the channel's waiting mount, always silent, where listeners are while sources change places
 */
export type Mount =
  | { readonly kind: 'channel'; readonly mount: string }
  | { readonly kind: 'waiting'; readonly mount: string; readonly channelMount: string }

/** A channel's path, as a regular expression. */
export const SLUG = '/[a-z0-9][a-z0-9-]{0,99}'
const SHAPE = new RegExp(`^(/w)?(${SLUG})$`)

/** What a path names, exactly as Icecast would read it; null for every other path, encoded or dotted ones included. */
export function readMount(path: string): Mount | null {
  const match = SHAPE.exec(path)
  if (!match) return null
  const channelMount = match[2]!
  return match[1] ? { kind: 'waiting', mount: path, channelMount } : { kind: 'channel', mount: path }
}

/** Where the listeners of a channel's mount wait. */
export function waitingMount(channelMount: string): string {
  return `/w${channelMount}`
}
