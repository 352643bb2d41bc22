import { AppError } from '@skipcast/runtime'
import type { LogIn, LogIns } from '../../ports.ts'
import { refuse } from './answers.ts'
import { broughtBack, signedValue } from './cookies.ts'
import type { Library } from './library.ts'

/** Codes of an authenticator; those for recovery have letters, too. */
const TOTP_CODE = /^[0-9]{6}$/

/** Time-based codes, and recovery codes that are good for one use each. */
export function secondFactors(library: Library, logInOf: (token: string) => Promise<LogIn>) {
  const asSession = (token: string) => new Headers({ authorization: `Bearer ${token}` })
  const sessionIn = async (headers: Headers): Promise<string> => {
    const { authCookies } = await library.$context
    const token = signedValue(headers, authCookies.sessionToken.name)
    if (token === null) throw new AppError('UNAUTHENTICATED', 'This session has ended. Log in again.')
    return token
  }

  return {
    /** Goes on where a log-in stopped for a code: `begun` are the headers it was answered with. Rejects with UNAUTHENTICATED, TOO_MANY_REQUESTS. */
    async finishLogIn(begun: Headers, code: string): Promise<string> {
      const asked = { body: { code }, headers: new Headers({ cookie: broughtBack(begun) }), returnHeaders: true } as const
      const { api } = library
      const work = TOTP_CODE.test(code) ? api.verifyTOTP(asked) : api.verifyBackupCode(asked)
      const { headers } = await work.catch((error: unknown) => {
        try {
          return refuse(error)
        } catch (refusal) {
          if (refusal instanceof AppError && refusal.code === 'UNPROCESSABLE')
            throw new AppError('UNAUTHENTICATED', 'The code is wrong, or was used before.', { cause: error })
          throw refusal
        }
      })
      return sessionIn(headers)
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
