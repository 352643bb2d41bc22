import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { LinkClaim, MediaLinks } from '../ports.ts'

const KEY_BYTES = 32

/** Signatures by HMAC-SHA256 with a key that is derived from the installation's secret; compared in constant time. */
export function mediaLinks(secret: string): MediaLinks {
  const key = new Uint8Array(hkdfSync('sha256', secret, '', 'skipcast media links', KEY_BYTES))
  const digest = ({ part, mediaId, sha256, isForAll, expiresAt }: LinkClaim) =>
    createHmac('sha256', key)
      .update(JSON.stringify([part, mediaId, sha256, isForAll, expiresAt]))
      .digest()
  return {
    sign: (claim) => digest(claim).toString('base64url'),
    isSigned(claim, signature) {
      const given = Buffer.from(signature, 'base64url')
      const right = digest(claim)
      return given.length === right.length && timingSafeEqual(given, right)
    },
  }
}
