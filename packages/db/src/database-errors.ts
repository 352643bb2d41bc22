import { AppError, isAppError } from '@skipcast/runtime'
import { Prisma } from './generated/client.ts'

/** SQLSTATEs: connection exceptions, no resources, operator (shutdown, cancelled), rolled back (deadlock), read-only standby, lock not had. */
const AWAY_STATES = /^(08|53|57|40)|^(25006|55P03)$/
/** SQLSTATEs of a database that is not set up yet: no table, no column, no database, no right to it. */
const UNPREPARED_STATES = /^(42P01|42703|3D000|28P01|28000)$/
/** What adapter-pg calls a server that it could not talk to. */
const AWAY_KINDS = new Set(['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TlsConnectionError'])
/** Prisma: no free connection in time, transaction not started or not ended in time. */
const AWAY_CODES = new Set(['P2024', 'P2028'])
const AWAY_SOCKETS = /^E(CONN|HOST|NET|PIPE|TIMEDOUT|AI_AGAIN)|^ENOTFOUND$/
/** pg tells these by text alone. */
const AWAY_TEXTS = /^(Connection terminated|Query read timeout|timeout exceeded|Client (has encountered|was closed))/

/**
 * What a store rejects with: DATABASE_UNAVAILABLE for whatever may be well at the next try (the server is away, starts, is
 * too busy, its tables are not there yet); everything else as it was thrown.
 */
export function storeError(error: unknown): unknown {
  if (isAppError(error) || !isAway(error as Thrown)) return error
  return new AppError('DATABASE_UNAVAILABLE', 'The database does not answer. Try again in a moment.', { cause: plain(error) })
}

/** Prisma tells first, on several lines, which call of ours failed; the last line says why. */
function plain(error: unknown): unknown {
  if (!(error instanceof Error) || !error.message.includes('\n')) return error
  return new Error(error.message.trimEnd().split('\n').at(-1)!.trim(), { cause: error })
}

/** True when a row would have broken a unique index. */
export function isDuplicate(error: unknown): boolean {
  return prismaCode(error) === 'P2002'
}

/** True when a row would have pointed at one that does not exist. */
export function isDangling(error: unknown): boolean {
  return prismaCode(error) === 'P2003'
}

/** What `pg`, its sockets and Prisma throw, as far as it matters here. */
interface Thrown {
  readonly message?: string
  /** A SQLSTATE, the code of a socket's error, or Prisma's own. */
  readonly code?: string
  /** What adapter-pg said, which Prisma wraps. */
  readonly meta?: {
    readonly driverAdapterError?: { readonly cause?: { readonly kind?: string; readonly originalCode?: string } }
  }
}

function isAway(error: Thrown): boolean {
  const said = error.meta?.driverAdapterError?.cause
  const state = said?.originalCode ?? error.code ?? ''
  if (AWAY_STATES.test(state) || UNPREPARED_STATES.test(state) || AWAY_SOCKETS.test(state) || AWAY_CODES.has(state)) return true
  return AWAY_KINDS.has(said?.kind ?? '') || AWAY_TEXTS.test(error.message ?? '')
}

function prismaCode(error: unknown): string | null {
  return error instanceof Prisma.PrismaClientKnownRequestError ? error.code : null
}
