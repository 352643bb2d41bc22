import { newId, tokenHashOf, type AccountStore } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import { generateRandomString } from 'better-auth/crypto'
import type { Mail } from '../../domain/mail.ts'
import type { LogIn, LogIns, Registration } from '../../ports.ts'
import { addressChanges } from './address-changes.ts'
import { codeOf, refuse } from './answers.ts'
import { CONFIRM_LIMIT_MS, openLibrary, type LibraryOptions } from './library.ts'
import { providersOf } from './providers.ts'
import { atProviders } from './at-providers.ts'
import { secondFactors } from './second-factors.ts'

const RESET_LIMIT_MS = 3_600_000
const NOTICE_LIMIT_MS = 86_400_000
const INVITATION_LIMIT_MS = 7 * 86_400_000
const TOKEN_LENGTH = 32
/** The id of no user. */
const NOBODY = 'nobody'
/** Who is who may change between two looks; nobody wins such a race again and again. */
const MAX_ROUNDS = 3

export interface LogInOptions
  extends
    Omit<LibraryOptions, 'rows' | 'onConfirmationWanted' | 'onResetWanted' | 'onReset' | 'onVouchedFor'>,
    Pick<LibraryOptions, 'rows'> {
  readonly accounts: AccountStore
  /** Puts a mail into the outbox; `about` keeps the order of those to one person. */
  readonly sendMail: (about: string, mail: Mail, expiresAt: Date) => Promise<void>
}

/** Log-ins by better-auth: the only place that knows it. */
export function betterAuthLogIns(options: LogInOptions): LogIns {
  const { accounts, publicUrl, newcomers } = options
  const within = (ms: number) => new Date(Date.now() + ms)
  const link = (page: string, token: string) => `${publicUrl}/account/${page}#token=${token}`
  const sendMail = (about: string, mail: Mail, ms: number) => options.sendMail(about, mail, within(ms))
  const resetPage = `${publicUrl}/account/reset-password`
  /** Links that were sent to an address count no more. */
  const forgetLinks = async (userId: string) =>
    void (await options.rows.remove('oneTimeValue', [{ field: 'value', operator: 'eq', value: userId, connector: 'AND' }]))

  /** Whoever registers again with an address that nobody confirmed, or proves by a provider that it is theirs, begins anew: with nothing that somebody else chose. */
  const dropUnconfirmed = async (email: string) => {
    const known = await accounts.findAccountByEmail(email)
    if (known && !known.emailVerified) await accounts.dropRegistration(known.id)
  }

  const common: Omit<LibraryOptions, 'providers'> = {
    ...options,
    onVouchedFor: dropUnconfirmed,
    async onConfirmationWanted({ id, email }) {
      const token = await oneTimeToken('confirm-email', id, CONFIRM_LIMIT_MS)
      await sendMail(id, { kind: 'confirm_email', to: email, link: link('confirm-email', token) }, CONFIRM_LIMIT_MS)
    },
    onResetWanted: ({ id, email }, token) =>
      sendMail(id, { kind: 'reset_password', to: email, link: link('reset-password', token) }, RESET_LIMIT_MS),
    async onReset({ id, email }) {
      // The link came to the address, so it is theirs; and whoever knew the password before is to know nothing that works.
      await accounts.confirmEmail(id)
      await accounts.endCredentials(id)
      await forgetLinks(id)
      await sendMail(id, { kind: 'password_changed', to: email, link: resetPage }, NOTICE_LIMIT_MS)
    },
  }
  // What providers do, or fail to do, concerns nobody who has a password.
  const library = openLibrary({ ...common, providers: {} })
  const abroad = openLibrary({ ...common, providers: options.providers })

  async function oneTimeToken(purpose: string, value: string, ms: number): Promise<string> {
    const { internalAdapter } = await library.$context
    const token = generateRandomString(TOKEN_LENGTH)
    await internalAdapter.createVerificationValue({ identifier: `${purpose}:${token}`, value, expiresAt: within(ms) })
    return token
  }

  /** The session that a token opens, as it is handed out. */
  const logInOf = async (token: string): Promise<LogIn> => {
    const identity = await accounts.identify(token)
    if (!identity) throw new AppError('UNAUTHENTICATED', 'This session ended in the same moment. Log in again.')
    const condition = { field: 'tokenHash', operator: 'eq', value: tokenHashOf(token), connector: 'AND' } as const
    const [row] = await options.rows.find('session', [condition], { limit: 1 })
    return { user: identity.user, token, expiresAt: (row?.['expiresAt'] as Date | undefined) ?? new Date() }
  }
  const asSession = (token: string) => new Headers({ authorization: `Bearer ${token}` })

  const factors = secondFactors(library, accounts, logInOf)

  /** An unknown address, as far as anybody can see: the user name is taken as long as if somebody had registered. */
  const pretend = async ({ username, name }: Registration, id: string) =>
    accounts.createUser({
      username,
      role: newcomers.role,
      registration: { id, name, confirmBy: within(CONFIRM_LIMIT_MS) },
    })

  async function requirePassword(userId: string, password: string): Promise<void> {
    const { internalAdapter, password: passwords } = await library.$context
    const login = await internalAdapter.findCredentialAccount(userId)
    const hash = login?.password ?? (await passwords.hash('nobody has this password'))
    if (!(await passwords.verify({ hash, password })) || !login?.password)
      throw new AppError('UNPROCESSABLE', 'password: is wrong. Who has none yet sets one with POST /api/password/forgot.')
  }

  const addresses = addressChanges({
    library,
    accounts,
    requirePassword,
    oneTimeToken,
    forgetLinks,
    sendMail,
    link,
    resetPage,
  })

  return {
    providers: providersOf(options.providers),
    requirePassword,

    async register(registration) {
      if (!newcomers.areWelcome)
        throw new AppError('FORBIDDEN', 'Nobody can register here by themselves. An administrator makes users.')
      const { username, name, email, password } = registration
      for (let round = 0; round < MAX_ROUNDS; round++) {
        if (await accounts.isUsernameTaken(username)) throw new AppError('CONFLICT', `The user name "${username}" is taken.`)
        await dropUnconfirmed(email)
        const made = await library.api
          .signUpEmail({ body: { email, password, name, username } })
          .catch((error: unknown) => (codeOf(error) === 'FAILED_TO_CREATE_USER' ? null : refuse(error)))
        if (!made) continue // a name or an address was taken in this moment
        const account = await accounts.findAccount(made.user.id)
        if (account) return account
        await sendMail(newId(), { kind: 'already_registered', to: email, link: resetPage }, NOTICE_LIMIT_MS)
        return pretend(registration, made.user.id)
      }
      throw new AppError('DATABASE_UNAVAILABLE', 'The registration could not be written. Try again in a moment.')
    },

    async requestConfirmation(email) {
      const account = await accounts.findAccountByEmail(email)
      if (account?.email && !account.emailVerified) {
        const token = await oneTimeToken('confirm-email', account.id, CONFIRM_LIMIT_MS)
        const mail = { kind: 'confirm_email', to: account.email, link: link('confirm-email', token) } as const
        return sendMail(account.id, mail, CONFIRM_LIMIT_MS)
      }
      await oneTimeToken('confirm-email', NOBODY, CONFIRM_LIMIT_MS)
      return sendMail(newId(), { kind: 'none' }, CONFIRM_LIMIT_MS)
    },

    async confirmEmail(token) {
      const { internalAdapter } = await library.$context
      const found = await internalAdapter.consumeVerificationValue(`confirm-email:${token}`)
      if (found && addresses.isOne(found.value)) return addresses.finish(found.value)
      const account = found && (await accounts.findAccount(found.value))
      if (!account) throw new AppError('UNPROCESSABLE', 'token: is unknown, used or too old. Ask for another mail.')
      await accounts.confirmEmail(account.id)
    },

    requestEmailChange: (userId, password, email) => addresses.request(userId, password, email),

    async invite({ id, email }) {
      const token = await oneTimeToken('reset-password', id, INVITATION_LIMIT_MS)
      await sendMail(id, { kind: 'invitation', to: email, link: link('reset-password', token) }, INVITATION_LIMIT_MS)
    },

    async logIn(email, password, code) {
      const { headers, response } = await library.api
        .signInEmail({ body: { email, password }, returnHeaders: true })
        .catch(refuseLogIn)
      if (!('twoFactorRedirect' in response)) return logInOf(response.token)
      if (code === null)
        throw new AppError('SECOND_FACTOR_NEEDED', 'Send the code of your authenticator, or a recovery code, as code.')
      return logInOf(await factors.finishLogIn(headers, code))
    },

    async requestPasswordReset(email) {
      if (await accounts.findAccountByEmail(email)) {
        await library.api.requestPasswordReset({ body: { email } }).catch(refuse)
        return
      }
      // As many questions to the database as the library has of a known address.
      const { internalAdapter } = await library.$context
      await internalAdapter.findUserByEmail(email)
      await internalAdapter.findAccounts(NOBODY)
      await oneTimeToken('reset-password', NOBODY, RESET_LIMIT_MS)
      await sendMail(newId(), { kind: 'none' }, RESET_LIMIT_MS)
    },

    async resetPassword(token, newPassword) {
      // Killed in between, the password is the old one, the link still works, and nobody is let in by anything older.
      const { internalAdapter } = await library.$context
      const found = await internalAdapter.findVerificationValue(`reset-password:${token}`)
      if (found && found.expiresAt > new Date()) await accounts.endCredentials(found.value)
      await library.api.resetPassword({ body: { token, newPassword } }).catch((error: unknown) => {
        if (['INVALID_TOKEN', 'USER_NOT_FOUND'].includes(codeOf(error) ?? ''))
          throw new AppError('UNPROCESSABLE', 'token: is unknown, used or too old. Ask for another mail.', { cause: error })
        return refuse(error)
      })
    },

    async changePassword(session, currentPassword, newPassword) {
      const body = { currentPassword, newPassword, revokeOtherSessions: true }
      const changed = await library.api.changePassword({ body, headers: asSession(session) }).catch(refuse)
      const logIn = await logInOf(changed.token!)
      const { email } = changed.user
      const mail = { kind: 'password_changed', to: email, link: resetPage } as const
      await sendMail(logIn.user.id, mail, NOTICE_LIMIT_MS)
      return logIn
    },
    ...atProviders({ ...options, library: abroad, logInOf }),
    ...factors.routes,
  }
}

/** The same answer for an unknown address and a wrong password. */
function refuseLogIn(error: unknown): never {
  switch (codeOf(error)) {
    case 'EMAIL_NOT_VERIFIED':
      throw new AppError(
        'EMAIL_UNCONFIRMED',
        'Open the link in the mail that we sent you first; POST /api/confirm-email/resend sends another.',
        {
          cause: error,
        },
      )
    case 'INVALID_EMAIL_OR_PASSWORD':
    case 'INVALID_EMAIL':
    case 'PASSWORD_TOO_LONG':
      throw new AppError('UNAUTHENTICATED', 'E-mail or password is wrong.', { cause: error })
    default:
      return refuse(error)
  }
}
