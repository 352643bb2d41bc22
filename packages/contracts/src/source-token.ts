import { createHmac, timingSafeEqual } from 'node:crypto'

/** What a source token proves: this source may feed this mount of this channel, in this epoch. */
export interface SourceClaim {
  readonly channelId: string
  readonly mount: string
  readonly epoch: number
}

/**
 * The password of a source: `channelId~epoch~mac`, the mac being HMAC-SHA256 over channel, mount and epoch, base64url,
 * cut to 128 bits (RFC 2104 allows half the hash). The mount is not repeated in it: Icecast tells it with the question.
 */
export function signSourceToken(key: string, claim: SourceClaim): string {
  return `${claim.channelId}~${claim.epoch}~${mac(key, claim)}`
}

/** The claim of a genuine token for this mount, or null: forged, cut, or made for another mount. */
export function verifySourceToken(key: string, mount: string, token: string): SourceClaim | null {
  const parts = /^([A-Za-z0-9_-]{1,64})~(0|[1-9][0-9]{0,14})~([A-Za-z0-9_-]{22})$/.exec(token)
  if (!parts) return null
  const claim = { channelId: parts[1]!, mount, epoch: Number(parts[2]) }
  const expected = Buffer.from(mac(key, claim))
  return timingSafeEqual(expected, Buffer.from(parts[3]!)) ? claim : null
}

function mac(key: string, { channelId, mount, epoch }: SourceClaim): string {
  return createHmac('sha256', key)
    .update(`skipcast-source\n${channelId}\n${mount}\n${epoch}`)
    .digest()
    .subarray(0, 16)
    .toString('base64url')
}
