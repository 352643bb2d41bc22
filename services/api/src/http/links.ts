import type { Media } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import { fileOf, isPartForAll, type MediaPart } from '../domain/media-parts.ts'
import type { MediaLinks } from '../ports.ts'

/**
 * Until when the link of a request is good, in seconds since the epoch. Throws FORBIDDEN unless it leads to this part of this piece and has not expired: one that was
 * made when all might have it ends with that. `media` null: there is no such piece, which is told to nobody.
 */
export function requireLink(
  links: MediaLinks,
  media: Media | null,
  part: MediaPart,
  query: { readonly expires?: unknown; readonly signature?: unknown },
): number {
  const { expires, signature } = query
  const expiresAt = typeof expires === 'string' && /^\d{1,12}$/.test(expires) ? Number(expires) : 0
  const sha256 = (media && fileOf(media, part)?.key.sha256) ?? ''
  const claim = { part, mediaId: media?.id ?? '', sha256, expiresAt }
  const isSigned = (forAll: boolean) => typeof signature === 'string' && links.isSigned({ ...claim, isForAll: forAll }, signature)
  const isGood =
    (isSigned(false) || (media !== null && isPartForAll(media, part) && isSigned(true))) && expiresAt * 1000 > Date.now()
  if (!isGood || sha256 === '') throw new AppError('FORBIDDEN', 'This link is wrong or has expired. Ask for another.')
  return expiresAt
}
