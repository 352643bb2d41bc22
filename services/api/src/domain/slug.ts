/** What means something else as a mount at Icecast, or as a path of ours. */
const RESERVED = new Set(['admin', 'w', 'web', 'trash', 'trashed', 'restore'])
const ID_LIKE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const MAX_STEM = 60

export const slugPattern = /^[a-z0-9][a-z0-9-]{0,99}$/

/** True for a slug that can stand in a path beside ids and be a mount: `/{slug}`. */
export function isSlug(text: string): boolean {
  return slugPattern.test(text) && !RESERVED.has(text) && !ID_LIKE.test(text)
}

/** A slug that says the name as far as a-z can, with a suffix from `random` (base 36) that keeps it from colliding. */
export function slugFor(name: string, suffix: string): string {
  return `${stemOf(name) || 'channel'}-${suffix}`
}

/** What a-z, digits and dashes can say of a name; nothing, for some. */
export function stemOf(name: string): string {
  const ascii = name.normalize('NFKD').toLowerCase().replaceAll(/\p{M}/gu, '')
  return ascii
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_STEM)
    .replaceAll(/^-+|-+$/g, '')
}
