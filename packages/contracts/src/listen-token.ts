import { createHmac } from 'node:crypto'

/** What a listen token proves: whoever has it may hear this channel until then. */
export interface ListenClaim {
  readonly channelId: string
  /** In seconds since the epoch. */
  readonly expiresAt: number
}

/**
 * The `token` of a private channel's listen URL: `channelId~expiresAt~mac`, the mac being HMAC-SHA256 over both, base64url, cut to 128 bits, as that of a
 * source token (RFC 2104 allows half the hash). The front before Icecast verifies it (`front-config.ts` of the role icecast).
 */
export function signListenToken(key: string, { channelId, expiresAt }: ListenClaim): string {
  const mac = createHmac('sha256', key).update(`skipcast-listener\n${channelId}\n${expiresAt}`).digest().subarray(0, 16)
  return `${channelId}~${expiresAt}~${mac.toString('base64url')}`
}
