import { z } from 'zod'
import { envelope, instantMs } from './envelope.ts'

/** Longest sealed content, in characters. */
const MAX_SEALED = 20_000

/**
 * A mail that is to be sent. Whom it goes to and what it says is sealed with a key of the installation (a compact JWE), as it holds an address and
 * a link that opens an account.
 */
export const mailRequested = envelope.extend({
  event: z.literal('mail_requested'),
  sealed: z.string().min(1).max(MAX_SEALED),
  /** What it says is of no use from then on: it is not sent any more. */
  expires_at: instantMs,
})

export type MailRequested = z.infer<typeof mailRequested>
