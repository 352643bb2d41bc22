import { newId, type AccountRows, type Role } from '@skipcast/db'
import type { Logger } from '@skipcast/runtime'
import { betterAuth } from 'better-auth/minimal'
import { bearer, genericOAuth, twoFactor } from 'better-auth/plugins'
import { tidy } from '../../domain/text.ts'
import { keptRows } from './kept-rows.ts'
import type { ProviderKeys } from './providers.ts'

const RESET_LIMIT_S = 3600
export const CONFIRM_LIMIT_MS = 86_400_000
const DAY_S = 86_400
const MAX_NAME = 255
/** An unknown user name for who comes from a provider: nothing a person would choose. */
const NEWCOMER = 'listener-'

export interface LibraryOptions {
  readonly rows: AccountRows
  /** Where people reach this API, without a slash at its end. */
  readonly publicUrl: string
  /** 32 characters or more. */
  readonly secret: string
  readonly newcomers: Newcomers
  readonly sessionDays: number
  readonly providers: ProviderKeys
  readonly logger: Logger
  readonly onConfirmationWanted: (user: { id: string; email: string }) => Promise<void>
  readonly onResetWanted: (user: { id: string; email: string }, token: string) => Promise<void>
  readonly onReset: (user: { id: string; email: string }) => Promise<void>
  /** A provider says of whoever logs in by it that this address is theirs; called before it is looked whose it is here. */
  readonly onVouchedFor: (email: string) => Promise<void>
}

/** Who may make themselves a user, and what they may do then. */
interface Newcomers {
  readonly areWelcome: boolean
  readonly role: Exclude<Role, 'admin'>
}

export type Library = ReturnType<typeof openLibrary>

/**
 * The library with our choices: nobody reaches its own routes, which do not ask for permissions; it is called from here alone. Passwords are hashed by scrypt.
 */
export function openLibrary(options: LibraryOptions) {
  const { publicUrl, secret, newcomers, providers } = options
  const disableSignUp = !newcomers.areWelcome
  const callback = (provider: string) => `${publicUrl}/api/auth/${provider}/callback`
  const mapProfileToUser = async (profile: object) => {
    const { email, email_verified: isVerified, name } = profile as Readonly<Record<string, unknown>>
    if (isVerified === true && typeof email === 'string') await options.onVouchedFor(email.toLowerCase())
    return typeof name === 'string' ? { name: tidy(name, MAX_NAME) } : {}
  }
  const keysOf = (provider: 'google' | 'facebook') => {
    const keys = providers[provider]
    const always = { redirectURI: callback(provider), disableSignUp, requireEmailVerification: true, mapProfileToUser }
    return keys && { [provider]: { ...keys, ...always } }
  }
  return betterAuth({
    appName: 'Skipcast',
    baseURL: publicUrl,
    basePath: '/api/auth',
    secret,
    database: keptRows(options.rows, secret),
    telemetry: { enabled: false },
    rateLimit: { enabled: false },
    logger: {
      level: 'warn',
      log: (level, message) => options.logger[level === 'error' ? 'warn' : 'debug']({ part: 'log-ins' }, message),
    },
    advanced: {
      database: { generateId: () => newId(), validateSchema: false },
      ipAddress: { disableIpTracking: true },
      useSecureCookies: publicUrl.startsWith('https:'),
    },
    user: {
      additionalFields: {
        username: { type: 'string', required: false },
        role: { type: 'string', required: true, input: false, defaultValue: newcomers.role },
        confirmBy: { type: 'date', required: false, input: false },
      },
      validateUserInfo: ({ user, source }) => {
        // Who is there already and comes with an address that nobody vouches for is another.
        if (source.action === 'link-account' && user.emailVerified !== true) return { error: 'email_not_verified' }
        return undefined
      },
    },
    session: { expiresIn: options.sessionDays * DAY_S, disableSessionRefresh: true, fields: { token: 'tokenHash' } },
    account: {
      modelName: 'login',
      updateAccountOnSignIn: false,
      accountLinking: { enabled: true, trustedProviders: [], requireLocalEmailVerified: true },
    },
    verification: { modelName: 'oneTimeValue', storeIdentifier: 'hashed' },
    emailAndPassword: {
      enabled: true,
      requireEmailVerification: true,
      autoSignIn: false,
      revokeSessionsOnPasswordReset: true,
      resetPasswordTokenExpiresIn: RESET_LIMIT_S,
      sendResetPassword: ({ user, token }) => options.onResetWanted(user, token),
      onPasswordReset: ({ user }) => options.onReset(user),
    },
    // Its own links are good for many times: ours are made by whoever is called here.
    emailVerification: { sendOnSignUp: true, sendVerificationEmail: ({ user }) => options.onConfirmationWanted(user) },
    databaseHooks: {
      user: {
        create: {
          before: async (user) => ({
            data: {
              ...user,
              username: typeof user['username'] === 'string' ? user['username'] : `${NEWCOMER}${newId().slice(-12)}`,
              role: newcomers.role,
              confirmBy: user.emailVerified ? null : new Date(Date.now() + CONFIRM_LIMIT_MS),
            },
          }),
        },
      },
    },
    socialProviders: { ...keysOf('google'), ...keysOf('facebook') },
    plugins: [
      bearer(),
      twoFactor({ issuer: 'Skipcast' }),
      genericOAuth({
        config: providers.openid
          ? [
              {
                providerId: 'openid',
                name: providers.openid.name,
                discoveryUrl: `${providers.openid.issuer}/.well-known/openid-configuration`,
                clientId: providers.openid.clientId,
                clientSecret: providers.openid.clientSecret,
                redirectURI: callback('openid'),
                scopes: ['openid', 'email', 'profile'],
                pkce: true,
                requireIdTokenVerification: true,
                requireEmailVerification: true,
                disableSignUp,
                mapProfileToUser,
              },
            ]
          : [],
      }),
    ],
  })
}
