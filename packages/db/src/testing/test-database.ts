import { silentLogger, waitFor } from '@skipcast/runtime'
import { Client } from 'pg'
import type { Patience } from '../database.ts'
import { migrate } from '../migrate.ts'
import { newId } from '../new-id.ts'
import { testServer } from './test-server.ts'

/** A database of a test file's own, with all tables and nothing in them; dropped when disposed. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string
  /** A statement as the database's owner. */
  query<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>
}

/** For tests of what is done, not of how long it may take: no slow machine fails them. */
export const PATIENT: Patience = { connectMs: 30_000, waitMs: 30_000, statementMs: 30_000, transactionMs: 60_000 }

const TEMPLATE = 'skipcast_template'
const START_TIMEOUT_MS = 60_000

/** Copied from a template, which takes some 30 ms; only the first one of a run waits for the server and the tables. */
export async function testDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const server = await testServer()
  await waitFor('the test PostgreSQL', () => run(server, 'SELECT 1').then(() => true), { timeoutMs: START_TIMEOUT_MS })
  const name = `test_${newId().replaceAll('-', '')}`
  await makeTemplate(server)
  await run(server, `CREATE DATABASE ${name} TEMPLATE ${options.empty ? 'template0' : TEMPLATE}`)
  const url = databaseUrl(server, name)
  return {
    url,
    query: (sql, values) => run(url, sql, values),
    async [Symbol.asyncDispose]() {
      await run(server, `DROP DATABASE ${name} WITH (FORCE)`)
    },
  }
}

async function makeTemplate(server: string): Promise<void> {
  const found = await run(server, 'SELECT 1 FROM pg_database WHERE datname = $1', [TEMPLATE])
  if (found.length > 0) return
  await run(server, `CREATE DATABASE ${TEMPLATE}`)
  await migrate(databaseUrl(server, TEMPLATE), { logger: silentLogger() })
}

function databaseUrl(server: string, name: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.toString()
}

async function run<Row extends object>(url: string, sql: string, values: unknown[] = []): Promise<Row[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Row>(sql, values)).rows
  } finally {
    await client.end()
  }
}
