import { PrismaPg } from '@prisma/adapter-pg'
import type { Logger } from '@skipcast/runtime'
import { Pool, type ClientConfig } from 'pg'
import { storeError } from './database-errors.ts'
import { Prisma, PrismaClient } from './generated/client.ts'

/** The way to PostgreSQL. It connects when first asked to, and again after every outage. */
export interface Database extends AsyncDisposable {
  /** Holds the password: never log it. */
  readonly url: string
  /** One statement. Rejects with DATABASE_UNAVAILABLE. */
  run<T>(work: (client: Session) => Promise<T>): Promise<T>
  /** The same without Prisma, prepared once for each connection: for what is asked often. Rejects with DATABASE_UNAVAILABLE. */
  query<Row extends object>(statement: Statement, values: readonly unknown[]): Promise<Row[]>
  /** Several statements that all happen or none. Rejects with DATABASE_UNAVAILABLE, and then nothing or all of it happened. */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T>
  /** Resolves when PostgreSQL answers now. Rejects with DATABASE_UNAVAILABLE. */
  ping(): Promise<void>
}

export type Session = Prisma.TransactionClient

/** SQL with a name of its own, shorter than 64 characters. */
export interface Statement {
  readonly name: string
  readonly text: string
}

/** How long PostgreSQL may take. */
export interface Patience {
  readonly connectMs: number
  /** For a free connection, before a transaction. */
  readonly waitMs: number
  readonly statementMs: number
  readonly transactionMs: number
}

const PATIENCE: Patience = { connectMs: 2000, waitMs: 3000, statementMs: 5000, transactionMs: 10_000 }
const CONNECTIONS = 10
const IDLE_MS = 30_000

/** Settings of every connection: PostgreSQL gives up a statement after its limit, and we give up PostgreSQL a little later. */
export function connectionSettings(url: string, patience: Patience = PATIENCE): ClientConfig {
  return {
    connectionString: url,
    application_name: 'skipcast',
    keepAlive: true,
    connectionTimeoutMillis: patience.connectMs,
    statement_timeout: patience.statementMs,
    query_timeout: patience.statementMs + 1000,
    idle_in_transaction_session_timeout: patience.transactionMs,
  }
}

export function openDatabase(url: string, options: { logger: Logger; patience?: Patience }): Database {
  const { patience = PATIENCE } = options
  const pool = new Pool({ ...connectionSettings(url, patience), max: CONNECTIONS, idleTimeoutMillis: IDLE_MS })
  pool.on('error', (error) => options.logger.debug({ problem: error.message }, 'an idle database connection ended'))
  const adapter = new PrismaPg(pool)
  const client = new PrismaClient({
    adapter,
    transactionOptions: { maxWait: patience.waitMs, timeout: patience.transactionMs },
    errorFormat: 'minimal',
  })
  const foreseen = (error: unknown) => {
    throw storeError(error)
  }
  return {
    url,
    run: (work) => work(client).catch(foreseen),
    async query<Row extends object>(statement: Statement, values: readonly unknown[]) {
      const { rows } = await pool.query<Row>({ ...statement, values: [...values] }).catch(foreseen)
      return rows
    },
    transaction: (work) => client.$transaction(work).catch(foreseen),
    async ping() {
      await client.$queryRaw`SELECT 1`.catch(foreseen)
    },
    async [Symbol.asyncDispose]() {
      await client.$disconnect()
      await pool.end()
    },
  }
}
