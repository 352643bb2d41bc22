import type { AccountStore } from '@skipcast/db'
import { AppError, messageOf } from '@skipcast/runtime'
import type { LogIn, LogIns, SessionKind } from '../../ports.ts'
import { signedValue } from './cookies.ts'
import type { Library } from './library.ts'
import { providersOf, type ProviderKeys } from './providers.ts'

export interface AtProvidersOptions {
  readonly library: Library
  readonly accounts: AccountStore
  readonly providers: ProviderKeys
  readonly publicUrl: string
  readonly logInOf: (token: string) => Promise<LogIn>
}

/**
 * Log-ins by a provider: OAuth 2 with a state that only the browser that began can bring back, and PKCE. Whoever is there already is linked by an address that
 * the provider calls verified and that was confirmed here; by nothing else. A registration that nobody confirmed gives way.
 */
export function atProviders(options: AtProvidersOptions): Pick<LogIns, 'beginAt' | 'finishAt'> {
  const { library, accounts, publicUrl } = options
  const known = new Set(providersOf(options.providers).map(({ id }) => id))
  const requireKnown = (provider: string) => {
    if (!known.has(provider)) throw new AppError('NOT_FOUND', 'There is no such provider. GET /api/auth/providers lists them.')
  }
  // It travels in the state, which nobody can change.
  const wishIn = (target: URL): SessionKind => (target.searchParams.get('session') === 'cookie' ? 'cookie' : 'token')

  return {
    async beginAt(provider, wish) {
      requireKnown(provider)
      const body = { provider: provider as 'google', callbackURL: `${publicUrl}/?session=${wish}`, disableRedirect: true }
      const { headers, response } = await library.api.signInSocial({ body, returnHeaders: true }).catch((cause: unknown) => {
        throw new AppError('PROVIDER_UNAVAILABLE', `${provider} does not answer as it should: ${messageOf(cause)}`, { cause })
      })
      if (!response.url) throw new AppError('PROVIDER_UNAVAILABLE', `${provider} does not say where to log in.`)
      return { url: response.url, cookies: headers.getSetCookie() }
    },

    async finishAt(provider, query, cookie) {
      requireKnown(provider)
      const answer = await library.api.callbackOAuth({
        method: 'GET',
        params: { id: provider },
        query: Object.fromEntries(new URLSearchParams(query)),
        headers: new Headers({ cookie }),
        asResponse: true,
      })
      const location = answer.headers.get('location')
      const target = location !== null && URL.canParse(location) ? new URL(location) : null
      const problem = target?.searchParams.get('error')
      const { authCookies } = await library.$context
      const token = signedValue(answer.headers, authCookies.sessionToken.name)
      if (!target || problem || token === null) throw refusalOf(problem ?? 'no_session')
      const logIn = await options.logInOf(token)
      const account = await accounts.findAccount(logIn.user.id)
      if (account?.twoFactorEnabled) {
        await library.api.signOut({ headers: new Headers({ authorization: `Bearer ${token}` }) })
        throw new AppError('UNPROCESSABLE', 'This account has a second factor: log in with the password and a code.')
      }
      return { ...logIn, wish: wishIn(target) }
    },
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  state_mismatch: 'This log-in was begun elsewhere, or too long ago. Begin again.',
  state_not_found: 'This log-in was begun elsewhere, or too long ago. Begin again.',
  account_not_linked:
    'There is an account with this address that it can not be linked to. Log in with the password, or confirm the address first.',
  email_not_verified:
    'The provider does not vouch for this address. Open the link in the mail that we sent you, then log in again.',
  email_not_found: 'The provider told no address. Allow it to, or register with a password.',
  signup_disabled: 'Nobody can register here by themselves. An administrator makes users.',
  access_denied: 'The provider was told not to let you in.',
}

function refusalOf(problem: string): AppError {
  const advice = ADVICE[problem.toLowerCase()] ?? 'The provider did not let you in. Begin again.'
  return new AppError('UNPROCESSABLE', advice, { cause: new Error(problem.slice(0, 200)) })
}
