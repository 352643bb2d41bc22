/**
 * Every failure that somebody foresaw. The table alone decides the HTTP status, whether a retry makes sense, and how loud
 * the log is (`caller` info, `dependency` warn, `internal` error). Anything that is no AppError is a bug.
 */
const table = {
  BAD_REQUEST: { fault: 'caller', retryable: false, status: 400 },
  SECOND_FACTOR_NEEDED: { fault: 'caller', retryable: false, status: 401 },
  EMAIL_UNCONFIRMED: { fault: 'caller', retryable: false, status: 403 },
  UNAUTHENTICATED: { fault: 'caller', retryable: false, status: 401 },
  FORBIDDEN: { fault: 'caller', retryable: false, status: 403 },
  NOT_FOUND: { fault: 'caller', retryable: false, status: 404 },
  CONFLICT: { fault: 'caller', retryable: false, status: 409 },
  LOCKED: { fault: 'caller', retryable: true, status: 423 },
  QUOTA_EXCEEDED: { fault: 'caller', retryable: false, status: 413 },
  TOO_LARGE: { fault: 'caller', retryable: false, status: 413 },
  UNSUPPORTED_MEDIA_TYPE: { fault: 'caller', retryable: false, status: 415 },
  RANGE_INVALID: { fault: 'caller', retryable: false, status: 416 },
  UNPROCESSABLE: { fault: 'caller', retryable: false, status: 422 },
  TOO_MANY_REQUESTS: { fault: 'caller', retryable: true, status: 429 },
  CONFIG_INVALID: { fault: 'caller', retryable: false, status: 500 },
  PORT_TAKEN: { fault: 'caller', retryable: false, status: 500 },
  PROGRAM_MISSING: { fault: 'caller', retryable: false, status: 500 },
  MESSAGE_INVALID: { fault: 'internal', retryable: false, status: 500 },
  NO_SPACE: { fault: 'dependency', retryable: true, status: 507 },
  BUS_UNAVAILABLE: { fault: 'dependency', retryable: true, status: 503 },
  DATABASE_UNAVAILABLE: { fault: 'dependency', retryable: true, status: 503 },
  MAIL_UNAVAILABLE: { fault: 'dependency', retryable: true, status: 503 },
  PROVIDER_UNAVAILABLE: { fault: 'dependency', retryable: true, status: 503 },
  ICECAST_UNAVAILABLE: { fault: 'dependency', retryable: true, status: 503 },
  HOST_UNREACHABLE: { fault: 'dependency', retryable: true, status: 503 },
  HOST_KEY_REFUSED: { fault: 'dependency', retryable: true, status: 503 },
  HOST_LOGIN_REFUSED: { fault: 'dependency', retryable: true, status: 503 },
  ENGINE_UNREACHABLE: { fault: 'dependency', retryable: true, status: 503 },
  ENGINE_START_FAILED: { fault: 'dependency', retryable: true, status: 503 },
  ENGINE_REFUSED: { fault: 'internal', retryable: false, status: 500 },
  MEDIA_MISSING: { fault: 'dependency', retryable: true, status: 503 },
  UPLOAD_ELSEWHERE: { fault: 'dependency', retryable: true, status: 503 },
  STORE_UNAVAILABLE: { fault: 'dependency', retryable: true, status: 503 },
  COMMAND_FAILED: { fault: 'dependency', retryable: false, status: 500 },
  TIMEOUT: { fault: 'dependency', retryable: true, status: 503 },
} as const satisfies Record<string, ErrorKind>

export interface ErrorKind {
  readonly fault: 'caller' | 'dependency' | 'internal'
  readonly retryable: boolean
  readonly status: number
}

export type ErrorCode = keyof typeof table

/** All there are: `deploy/errors.md` tells people of each. */
export const errorCodes = Object.keys(table) as readonly ErrorCode[]

/** A foreseen failure. `message` is for people and says what to do; `details` are safe to show to the caller. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly details: unknown

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.details = options.details
  }

  get kind(): ErrorKind {
    return table[this.code]
  }
}

/** True for an AppError of this code. */
export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code)
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
