import { createHash } from 'node:crypto'
import type { AccountStore } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import type { LogIn, LogIns } from '../../ports.ts'
import { refuse } from './answers.ts'
import { broughtBack, signedValue } from './cookies.ts'
import type { Library } from './library.ts'

/** Codes of an authenticator; those for recovery have letters, too. */
const TOTP_CODE = /^[0-9]{6}$/
/** A code is good in its own half minute and those beside it, wherever in its own it was used. */
const CODE_LIMIT_MS = 120_000
const REFUSED = 'The code is wrong, or was used before.'

/** Time-based codes (RFC 6238), and recovery codes; each is good for one log-in. */
export function secondFactors(
  library: Library,
  accounts: Pick<AccountStore, 'claim'>,
  logInOf: (token: string) => Promise<LogIn>,
) {
  const asSession = (token: string) => new Headers({ authorization: `Bearer ${token}` })
  const sessionIn = async (headers: Headers): Promise<string> => {
    const { authCookies } = await library.$context
    const token = signedValue(headers, authCookies.sessionToken.name)
    if (token === null) throw new AppError('UNAUTHENTICATED', 'This session has ended. Log in again.')
    return token
  }

  const isFirst = (userId: string, code: string) => {
    const key = createHash('sha256').update(`${userId} ${code}`).digest('hex')
    return accounts.claim(`used-code:${key}`, userId, new Date(Date.now() + CODE_LIMIT_MS))
  }

  return {
    /** Goes on where a log-in stopped for a code: `begun` are the headers it was answered with. Rejects with UNAUTHENTICATED, TOO_MANY_REQUESTS. */
    async finishLogIn(begun: Headers, code: string): Promise<string> {
      const asked = { body: { code }, headers: new Headers({ cookie: broughtBack(begun) }), returnHeaders: true } as const
      const { api } = library
      const isTimed = TOTP_CODE.test(code)
      const work = isTimed ? api.verifyTOTP(asked) : api.verifyBackupCode(asked)
      const { headers, response } = await work.catch((error: unknown) => {
        try {
          return refuse(error)
        } catch (refusal) {
          if (refusal instanceof AppError && refusal.code === 'UNPROCESSABLE')
            throw new AppError('UNAUTHENTICATED', REFUSED, { cause: error })
          throw refusal
        }
      })
      const token = await sessionIn(headers)
      if (!isTimed || (await isFirst(response.user.id, code))) return token
      await api.signOut({ headers: asSession(token) })
      throw new AppError('UNAUTHENTICATED', REFUSED)
    },

    routes: {
      async beginTotp(session, password) {
        const body = { password, method: 'totp' } as const
        const made = await library.api.enableTwoFactor({ body, headers: asSession(session) }).catch(refuse)
        if (made.method !== 'totp') throw new Error('Another second factor than was asked for')
        return { uri: made.totpURI, recoveryCodes: made.backupCodes }
      },

      async confirmTotp(session, code) {
        const asked = { body: { code }, headers: asSession(session), returnHeaders: true } as const
        const { headers } = await library.api.verifyTOTP(asked).catch(refuse)
        const { authCookies } = await library.$context
        return logInOf(signedValue(headers, authCookies.sessionToken.name) ?? session)
      },

      async endTotp(session, password) {
        const asked = { body: { password }, headers: asSession(session), returnHeaders: true } as const
        const { headers } = await library.api.disableTwoFactor(asked).catch(refuse)
        return logInOf(await sessionIn(headers))
      },
    } satisfies Pick<LogIns, 'beginTotp' | 'confirmTotp' | 'endTotp'>,
  }
}
