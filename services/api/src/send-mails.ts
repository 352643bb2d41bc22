import { stamp, type MailRequested } from '@skipcast/contracts'
import { newId, type AccountStore } from '@skipcast/db'
import { isAppError, type Logger } from '@skipcast/runtime'
import { mailText, type Mail } from './domain/mail.ts'
import type { MailSealer, Postbox } from './ports.ts'

/** A server that asks to come again (a full mailbox, greylisting) is believed for so long; then the mail is among the dead letters, and holds up nobody. */
const PATIENCE_MS = 15 * 60_000

export interface SendMailsPorts {
  readonly sealer: MailSealer
  readonly postbox: Postbox
  readonly logger: Logger
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

/** Writes mails into the outbox, sealed. The function rejects with DATABASE_UNAVAILABLE. */
export function mailWriter(ports: {
  readonly sealer: MailSealer
  readonly accounts: Pick<AccountStore, 'sendMail'>
  readonly origin: { readonly application: string; readonly environment: string }
}): (about: string, mail: Mail, expiresAt: Date) => Promise<void> {
  return async (about, mail, expiresAt) =>
    ports.accounts.sendMail(about, {
      ...stamp(ports.origin, Date.now(), newId()),
      event: 'mail_requested',
      sealed: await ports.sealer.seal(mail, expiresAt),
      expires_at: expiresAt.getTime(),
    })
}

/**
 * Sends what lies on the topic. A mail may go out twice, under one Message-ID; one whose link has expired does not go out any more. The function rejects with
 * MAIL_UNAVAILABLE (it is to be tried again), or with what can never succeed.
 */
export function mailSender({ sealer, postbox, logger, clock }: SendMailsPorts): (message: MailRequested) => Promise<void> {
  return async ({ id, sealed, occurred_at: askedAt }) => {
    const mail = await sealer.open(sealed)
    if (mail === null) logger.warn({ mail: id }, 'a mail came too late to be of use; it was not sent')
    if (mail === null || mail.kind === 'none') return
    try {
      await postbox.send({ id, to: mail.to, ...mailText(mail) })
    } catch (error) {
      if (!isAppError(error) || error.details !== 'deferred' || clock() - askedAt < PATIENCE_MS) throw error
      throw new Error(error.message, { cause: error })
    }
  }
}
