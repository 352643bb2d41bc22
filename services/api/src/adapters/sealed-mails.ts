import { hkdfSync } from 'node:crypto'
import { AppError } from '@skipcast/runtime'
import { EncryptJWT, errors, jwtDecrypt } from 'jose'
import { z } from 'zod'
import { sentKinds, type Mail } from '../domain/mail.ts'
import type { MailSealer } from '../ports.ts'

const KEY_BYTES = 32
/** More than any mail of ours has, in characters. */
const PADDED_LENGTH = 2500
const sealedMail = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(sentKinds), to: z.string().max(320), link: z.string().max(2000) }),
  z.object({ kind: z.literal('none') }),
])

/** Mails as encrypted tokens (JWE, A256GCM) with a key that is derived from the installation's secret. All are padded to one length: none tells its kind. */
export function sealedMails(secret: string): MailSealer {
  const key = new Uint8Array(hkdfSync('sha256', secret, '', 'skipcast mails', KEY_BYTES))
  return {
    seal: (mail, expiresAt) =>
      new EncryptJWT({ mail: Buffer.from(JSON.stringify(mail).padEnd(PADDED_LENGTH)).toString('base64url') })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .setExpirationTime(expiresAt)
        .encrypt(key),

    async open(sealed) {
      try {
        const { payload } = await jwtDecrypt(sealed, key, { requiredClaims: ['exp'] })
        return sealedMail.parse(JSON.parse(Buffer.from(String(payload['mail']), 'base64url').toString())) satisfies Mail
      } catch (cause) {
        if (cause instanceof errors.JWTExpired) return null
        throw new AppError('MESSAGE_INVALID', 'This mail was sealed with another ACCOUNTS_SECRET.', { cause })
      }
    },
  }
}
