import { AppError } from '@skipcast/runtime'
import { isAPIError } from 'better-auth/api'

/** The library's own code of what it threw; null for anything else. */
export function codeOf(error: unknown): string | null {
  if (!isAPIError(error)) return null
  return (error.body as { code?: string } | undefined)?.code ?? null
}

/** What people can do something about is told as such; anything else stays what it is. */
export function refuse(error: unknown): never {
  switch (codeOf(error)) {
    case 'INVALID_PASSWORD':
    case 'CREDENTIAL_ACCOUNT_NOT_FOUND':
      throw new AppError('UNPROCESSABLE', 'password: is wrong. Who has none yet sets one with POST /api/password/forgot.', {
        cause: error,
      })
    case 'INVALID_CODE':
    case 'INVALID_BACKUP_CODE':
    case 'OTP_HAS_EXPIRED':
    case 'TOTP_NOT_ENABLED':
      throw new AppError('UNPROCESSABLE', 'code: is wrong, or was used before.', { cause: error })
    case 'TOTP_ALREADY_ENABLED':
      throw new AppError('CONFLICT', 'There is a second factor already. DELETE /api/account/totp ends it.', { cause: error })
    case 'TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE':
    case 'ACCOUNT_TEMPORARILY_LOCKED':
      throw new AppError('TOO_MANY_REQUESTS', 'Too many wrong codes. Try again later.', { cause: error })
    case 'UNAUTHORIZED':
    case 'SESSION_EXPIRED':
      throw new AppError('UNAUTHENTICATED', 'This session has ended. Log in again.', { cause: error })
    default:
      throw error
  }
}
