import { createServer, type AddressInfo, type Server } from 'node:net'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { findDaemon, openHome, silentLogger, waitFor } from '@skipcast/runtime'
import { openDatabase, type Database } from '../src/database.ts'
import { migrate } from '../src/migrate.ts'
import { localPostgres, type LocalPostgres } from '../src/postgres/local-postgres.ts'
import { openStores } from '../src/stores/stores.ts'

let path: string
let postgres: LocalPostgres
let database: Database
const logger = silentLogger()

beforeAll(async () => {
  path = await mkdtemp(join(tmpdir(), 'skipcast-outages-'))
  await chmod(path, 0o711)
  postgres = await localPostgres(await openHome(path), { logger, onStop: 'stop' })
  database = openDatabase(postgres.url, { logger })
  await waitFor('PostgreSQL', () => database.ping().then(() => true), { timeoutMs: 30_000 })
}, 60_000)

afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await postgres[Symbol.asyncDispose]()
  await rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
})

/** One of each kind of call that stores make. */
function calls(on: Database): Promise<PromiseSettledResult<unknown>[]> {
  const stores = openStores(on, { toCommand: () => ({}) as never })
  return Promise.allSettled([
    stores.channels.find('radio'),
    stores.channels.list({ sight: 'public', page: 1, perPage: 1, sort: 'created_at', order: 'desc' }),
    stores.channels.readBooks(),
    stores.channels.change('none', () => null),
    stores.channels.remove('none'),
    stores.accounts.createToken('nobody', 'x'),
    on.ping(),
  ])
}

const codes = (results: PromiseSettledResult<unknown>[]) =>
  new Set(
    results.map((result) =>
      result.status === 'rejected' ? ((result.reason as { code?: string }).code ?? String(result.reason)) : 'ok',
    ),
  )

test('before the tables are there, calls say that the database is not ready', async () => {
  const results = await calls(database)
  expect(codes(results.slice(0, -1))).toEqual(new Set(['DATABASE_UNAVAILABLE']))
  await migrate(postgres.url, { logger })
  expect(codes(await calls(database))).not.toContain('DATABASE_UNAVAILABLE')
})

test('each call to a database that refuses, says nothing, or hangs up is told as DATABASE_UNAVAILABLE', async () => {
  const silent = await listening(() => {})
  const rude = await listening((socket) => socket.destroy())
  for (const port of [1, portOf(silent), portOf(rude)]) {
    await using away = openDatabase(`postgresql://a:b@127.0.0.1:${port}/c`, { logger })
    expect(codes(await calls(away))).toEqual(new Set(['DATABASE_UNAVAILABLE']))
  }
  silent.close()
  rude.close()
}, 30_000)

test('a server that is killed costs nothing but errors, and calls succeed again without a restart of ours', async () => {
  const server = (await findDaemon(join(path, 'postgres', 'postgres.json')))!
  process.kill(server.pid, 'SIGKILL')
  const seen = new Set<string>()
  await waitFor(
    'the calls to succeed again',
    async () => {
      const now = codes(await calls(database))
      for (const code of now) seen.add(code)
      return seen.has('DATABASE_UNAVAILABLE') && !now.has('DATABASE_UNAVAILABLE')
    },
    { timeoutMs: 30_000 },
  )
  // What the calls say of a database that is well: these ids do not exist.
  expect([...seen].toSorted((a, b) => a.localeCompare(b))).toEqual(['DATABASE_UNAVAILABLE', 'NOT_FOUND', 'ok'])
}, 60_000)

test('a statement that takes too long is given up', async () => {
  const slow = database.run((client) => client.$queryRaw`SELECT pg_sleep(60)::text`)
  await expect(slow).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
}, 20_000)

async function listening(serve: (socket: import('node:net').Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    serve(socket)
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  return server.unref()
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}
