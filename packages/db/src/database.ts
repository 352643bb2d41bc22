import { PrismaPg } from '@prisma/adapter-pg'
import type { Logger } from '@skipcast/runtime'
import type { ClientConfig, PoolConfig } from 'pg'
import { storeError } from './database-errors.ts'
import { Prisma, PrismaClient } from './generated/client.ts'

/** The way to PostgreSQL. It connects when first asked to, and again after every outage. */
export interface Database extends AsyncDisposable {
  /** Holds the password: never log it. */
  readonly url: string
  /** One statement. Rejects with DATABASE_UNAVAILABLE. */
  run<T>(work: (client: Session) => Promise<T>): Promise<T>
  /** Several statements that all happen or none. Rejects with DATABASE_UNAVAILABLE, and then nothing or all of it happened. */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T>
  /** Resolves when PostgreSQL answers now. Rejects with DATABASE_UNAVAILABLE. */
  ping(): Promise<void>
}

export type Session = Prisma.TransactionClient

const limits = {
  connections: 10,
  connectMs: 2000,
  /** Longest wait for a free connection. */
  waitMs: 3000,
  statementMs: 5000,
  transactionMs: 10_000,
  idleMs: 30_000,
}

/** Settings of every connection: PostgreSQL gives up a statement after its limit, and we give up PostgreSQL a little later. */
export function connectionSettings(url: string): ClientConfig {
  return {
    connectionString: url,
    application_name: 'skipcast',
    keepAlive: true,
    connectionTimeoutMillis: limits.connectMs,
    statement_timeout: limits.statementMs,
    query_timeout: limits.statementMs + 1000,
    idle_in_transaction_session_timeout: limits.transactionMs,
  }
}

export function openDatabase(url: string, options: { logger: Logger }): Database {
  const pool: PoolConfig = { ...connectionSettings(url), max: limits.connections, idleTimeoutMillis: limits.idleMs }
  const adapter = new PrismaPg(pool, {
    onPoolError: (error) => options.logger.debug({ problem: error.message }, 'an idle database connection ended'),
  })
  const client = new PrismaClient({
    adapter,
    transactionOptions: { maxWait: limits.waitMs, timeout: limits.transactionMs },
    errorFormat: 'minimal',
  })
  const foreseen = (error: unknown) => {
    throw storeError(error)
  }
  return {
    url,
    run: (work) => work(client).catch(foreseen),
    transaction: (work) => client.$transaction(work).catch(foreseen),
    async ping() {
      await client.$queryRaw`SELECT 1`.catch(foreseen)
    },
    [Symbol.asyncDispose]: () => client.$disconnect(),
  }
}
