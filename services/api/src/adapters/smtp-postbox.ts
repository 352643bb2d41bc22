import { AppError, messageOf } from '@skipcast/runtime'
import { createTransport } from 'nodemailer'
import type { Postbox } from '../ports.ts'

const CONNECT_LIMIT_MS = 10_000
const ANSWER_LIMIT_MS = 30_000
/** What a server says for good (RFC 5321 §4.2.1): the mail, not the moment, is wrong. But who may not log in is the operator's to cure. */
const REFUSED_FOR_GOOD = /^5/
/** There is no such address, before any server was asked. */
const UNSENDABLE = new Set(['EENVELOPE', 'EMESSAGE'])
/** The server is about to end: it means no mail in particular. */
const CLOSING = 421
const OPERATORS_CODES = new Set(['EAUTH', 'ETLS', 'ENOAUTH', 'EOAUTH2'])

export interface SmtpPostbox extends Postbox, Disposable {}

/** Sends over SMTP: `smtp://user:password@host:587`, or `smtps://…:465`. A password goes to another machine only over TLS. */
export function smtpPostbox(url: string, from: string): SmtpPostbox {
  const { username, hostname } = new URL(url)
  const isElsewhere = !['localhost', '127.0.0.1', '[::1]'].includes(hostname)
  const transport = createTransport({
    url,
    requireTLS: username !== '' && isElsewhere,
    connectionTimeout: CONNECT_LIMIT_MS,
    greetingTimeout: CONNECT_LIMIT_MS,
    socketTimeout: ANSWER_LIMIT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    async send({ id, to, subject, text }) {
      const headers = { 'auto-submitted': 'auto-generated' }
      try {
        await transport.sendMail({ from, to, subject, text, headers, messageId: `<${id}@${from.replace(/^.*@|>.*$/g, '')}>` })
      } catch (cause) {
        const { code = '', responseCode } = cause as { code?: string; responseCode?: number }
        const answer = String(responseCode ?? '')
        const isForGood = answer === '' ? UNSENDABLE.has(code) : REFUSED_FOR_GOOD.test(answer) && !OPERATORS_CODES.has(code)
        // What the server says may name the recipient: it is told to nobody.
        if (isForGood)
          throw new AppError('COMMAND_FAILED', `The mail server refuses this mail for good (${responseCode ?? code}).`, { cause })
        throw new AppError('MAIL_UNAVAILABLE', `The mail server does not take mails now (${code || messageOf(cause)}).`, {
          cause,
          ...(answer.startsWith('4') && responseCode !== CLOSING && { details: 'deferred' }),
        })
      }
    },
    [Symbol.dispose]: () => transport.close(),
  }
}
