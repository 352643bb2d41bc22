import { createHash } from 'node:crypto'
import { newId, type AccountStore } from '@skipcast/db'
import { AppError, isAppError } from '@skipcast/runtime'
import type { Mail } from '../../domain/mail.ts'
import type { LogIns } from '../../ports.ts'
import type { Library } from './library.ts'

const LINK_LIMIT_MS = 86_400_000
const NOTICE_LIMIT_MS = 86_400_000
/** Nothing else that is kept for one use begins like this. */
const MARK = 'change-email '

export interface AddressChangeParts {
  readonly library: Library
  readonly accounts: AccountStore
  readonly requirePassword: LogIns['requirePassword']
  readonly oneTimeToken: (purpose: string, value: string, ms: number) => Promise<string>
  readonly forgetLinks: (userId: string) => Promise<void>
  readonly sendMail: (about: string, mail: Mail, ms: number) => Promise<void>
  readonly link: (page: string, token: string) => string
  readonly resetPage: string
}

/**
 * Another address for an account: it is proved from there, before anything changes, and the one before is told. The link holds as long as the password does that
 * was asked for: who sets a new one, because it was not they who asked, has ended the link with it.
 */
export function addressChanges(parts: AddressChangeParts) {
  const { accounts, sendMail, resetPage } = parts

  /** What stands for the password that a user has now. */
  async function proofOf(userId: string): Promise<string> {
    const { internalAdapter } = await parts.library.$context
    const login = await internalAdapter.findCredentialAccount(userId)
    return createHash('sha256')
      .update(login?.password ?? '')
      .digest('base64url')
  }

  return {
    async request(userId: string, password: string, wanted: string): Promise<void> {
      await parts.requirePassword(userId, password)
      const email = wanted.toLowerCase()
      const known = await accounts.findAccountByEmail(email)
      // An address that somebody registered with and never confirmed is nobody's.
      const isFree = !known || (!known.emailVerified && known.providers.length > 0)
      const value = `${MARK}${JSON.stringify({ userId, email, proof: await proofOf(userId) })}`
      const token = await parts.oneTimeToken('confirm-email', isFree ? value : 'nobody', LINK_LIMIT_MS)
      const mail: Mail = isFree
        ? { kind: 'email_wanted', to: email, link: parts.link('confirm-email', token) }
        : { kind: 'already_registered', to: email, link: resetPage }
      await sendMail(newId(), mail, LINK_LIMIT_MS)
      const before = (await accounts.findAccount(userId))?.email
      if (before) await sendMail(userId, { kind: 'email_to_change', to: before, link: resetPage }, NOTICE_LIMIT_MS)
    },

    /** Whether a value that was kept for one use is of here. */
    isOne: (value: string): boolean => value.startsWith(MARK),

    /** Rejects with UNPROCESSABLE where the link is worth nothing any more. */
    async finish(value: string): Promise<void> {
      const { userId, email, proof } = JSON.parse(value.slice(MARK.length)) as { userId: string; email: string; proof: string }
      const account = await accounts.findAccount(userId)
      if (!account || proof !== (await proofOf(userId)))
        throw new AppError('UNPROCESSABLE', 'token: the password was changed since. Ask for the other address again.')
      const other = await accounts.findAccountByEmail(email)
      if (other && other.id !== userId) await accounts.dropRegistration(other.id)
      await accounts.changeEmail(userId, email).catch((error: unknown) => {
        throw isAppError(error, 'CONFLICT') ? new AppError('UNPROCESSABLE', `token: ${error.message}`, { cause: error }) : error
      })
      await parts.forgetLinks(userId)
      if (account.email && account.email !== email)
        await sendMail(userId, { kind: 'email_changed', to: account.email, link: resetPage }, NOTICE_LIMIT_MS)
    },
  }
}
