import { chmod, cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { childUser, findDaemon, isAlive, openHome, silentLogger, waitFor, type Daemon, type Home } from '@skipcast/runtime'
import { Client } from 'pg'
import { localPostgres, type LocalPostgres } from '../src/postgres/local-postgres.ts'
import { postgresPrograms } from '../src/postgres/programs.ts'

let path: string
let home: Home
let last: LocalPostgres | undefined

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'skipcast-postgres-'))
  await chmod(path, 0o711)
  home = await openHome(join(path, 'home'))
})

afterEach(async () => {
  await close()
  const left = await findDaemon(identityFile())
  if (left) process.kill(left.pid, 'SIGKILL')
  await rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
})

async function start(onStop: 'stop' | 'hand-over' = 'stop'): Promise<LocalPostgres> {
  last = await localPostgres(home, { logger: silentLogger(), onStop })
  return last
}

async function close(): Promise<void> {
  await last?.[Symbol.asyncDispose]()
  last = undefined
}

async function ask<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Row>(sql)).rows
  } finally {
    await client.end()
  }
}

const answers = (url: string) => waitFor('PostgreSQL', () => ask(url, 'SELECT 1').then(() => true), { timeoutMs: 30_000 })
const identityFile = () => join(home.path, 'postgres', 'postgres.json')
const daemon = async (): Promise<Daemon> => (await findDaemon(identityFile()))!
const pidFile = () => join(home.path, 'postgres', 'data', 'postmaster.pid')

test('it is made at the first start, on loopback alone, and asks for the password', async () => {
  const { url } = await start()
  await answers(url)
  const [{ listen, sockets, port }] = (await ask(
    url,
    `SELECT current_setting('listen_addresses') AS listen, current_setting('unix_socket_directories') AS sockets, current_setting('port')::int AS port`,
  )) as [{ listen: string; sockets: string; port: number }]
  expect({ listen, sockets, port }).toEqual({ listen: '127.0.0.1', sockets: '', port: await home.port('postgres') })
  await expect(ask(url.replace(/:[^:@]+@/, ':wrong@'), 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })
  expect(((await stat(join(home.path, 'postgres'))).mode & 0o777).toString(8)).toBe('700')
})

test('its password stands in no argument and in no log', async () => {
  const { url } = await start()
  await answers(url)
  const password = await home.secret('postgres')
  expect(await readFile(`/proc/${(await daemon()).pid}/cmdline`, 'utf8')).not.toContain(password)
  expect(await readFile(join(home.path, 'postgres', 'postgres.log'), 'utf8')).not.toContain(password)
})

test('closed with stop it is gone; opened again, what was kept is there', async () => {
  const { url } = await start()
  await answers(url)
  await ask(url, 'CREATE TABLE kept (id int)')
  const first = await daemon()
  await close()
  expect(isAlive(first)).toBe(false)
  const again = await start()
  await answers(again.url)
  await expect(ask(again.url, 'SELECT * FROM kept')).resolves.toEqual([])
})

test('closed with hand-over it runs on, and the next process adopts it', async () => {
  const { url } = await start('hand-over')
  await answers(url)
  const first = await daemon()
  await close()
  const again = await start()
  await answers(again.url)
  expect((await daemon()).pid).toBe(first.pid)
})

test('killed, it is back by itself with everything that was acknowledged', async () => {
  const { url } = await start()
  await answers(url)
  await ask(url, 'CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)')
  const first = await daemon()
  process.kill(first.pid, 'SIGKILL')
  await waitFor(
    'another server',
    async () => (await findDaemon(identityFile()))?.pid !== first.pid && (await daemon()) !== null,
    {
      timeoutMs: 20_000,
    },
  )
  await answers(url)
  await expect(ask(url, 'SELECT * FROM kept')).resolves.toEqual([{ id: 1 }])
})

test('after everything was killed, a start with a stale postmaster.pid succeeds', async () => {
  const { url } = await start('hand-over')
  await answers(url)
  const first = await daemon()
  await close() // as if we had been killed: the server is left alone …
  process.kill(first.pid, 'SIGKILL') // … and then killed too
  await waitFor('it to be gone', () => !isAlive(first), { timeoutMs: 5000 })
  // Its number belongs to somebody else by now: us.
  const lines = (await readFile(pidFile(), 'utf8')).split('\n')
  await writeFile(pidFile(), [process.pid, ...lines.slice(1)].join('\n'))
  const again = await start()
  await answers(again.url)
})

test('a server whose identity was never noted is found by its own note', async () => {
  const { url } = await start('hand-over')
  await answers(url)
  await close()
  await rm(identityFile())
  const again = await start()
  await answers(again.url)
  await waitFor('an identity', daemon, { timeoutMs: 20_000 })
})

test('a half-made data directory of a killed first start is made anew', async () => {
  const directory = await home.directory('postgres', { owner: childUser() })
  await mkdir(join(directory, 'data.new'))
  await writeFile(join(directory, 'data.new', 'PG_VERSION'), '18')
  const { url } = await start()
  await answers(url)
})

test('where the programs lie in a closed directory, a copy in the home is run', async () => {
  const user = childUser()
  if (!user) return // only root has another user to run it as
  const packaged = await postgresPrograms(home, user)
  const closed = await mkdtemp(join(path, 'closed-'))
  await chmod(closed, 0o700)
  await cp(dirname(dirname(packaged.postgres)), join(closed, 'native'), { recursive: true, verbatimSymlinks: true })
  const there = { ...packaged, postgres: join(closed, 'native/bin/postgres'), initdb: join(closed, 'native/bin/initdb') }
  const programs = await postgresPrograms(home, user, there)
  expect(programs.postgres).toBe(join(home.path, 'programs', `postgres-${packaged.version}`, 'bin', 'postgres'))
  expect((await postgresPrograms(home, user, there)).postgres).toBe(programs.postgres)
})

test('a home that is closed too is a clear error that says what to do', async () => {
  const user = childUser()
  if (!user) return
  const closed = await mkdtemp(join(path, 'closed-'))
  const nowhere = { postgres: '/nonexistent/postgres', initdb: '/nonexistent/initdb', version: '18' }
  const hidden = await openHome(join(closed, 'home'))
  await mkdir(join(closed, 'x', 'bin'), { recursive: true })
  const there = { ...nowhere, postgres: join(closed, 'x', 'bin', 'postgres') }
  await chmod(closed, 0o700)
  await expect(postgresPrograms(hidden, user, there)).rejects.toMatchObject({
    code: 'PROGRAM_MISSING',
    message: expect.stringMatching(/SKIPCAST_HOME/),
  })
})
