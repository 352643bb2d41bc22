import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { silentLogger, waitFor } from '@skipcast/runtime'
import { openDatabase, type Database } from '../src/database.ts'
import { leadership, type LeaderSession } from '../src/leadership.ts'
import { testDatabase, type TestDatabase } from '../src/testing/test-database.ts'

let database: TestDatabase
let client: Database

beforeAll(async () => {
  database = await testDatabase()
  client = openDatabase(database.url, { logger: silentLogger() })
}, 60_000)

afterAll(async () => {
  await client[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

const LEADER = fileURLToPath(new URL('leader-process.ts', import.meta.url))

/** One who wants to lead, and what happened to it. */
function candidate(name: string) {
  const events: string[] = []
  let session: LeaderSession | null = null
  const claim = leadership({
    database: client,
    logger: silentLogger(),
    name: 'test',
    channel: 'news',
    lead(given) {
      session = given
      events.push('leads')
      return {
        onNotify: () => void events.push('notified'),
        async [Symbol.asyncDispose]() {
          session = null
          events.push('ends')
        },
      }
    },
  })
  return {
    name,
    events,
    session: () => session,
    isLeading: () => session !== null,
    [Symbol.asyncDispose]: () => claim[Symbol.asyncDispose](),
  }
}

const leads = (one: ReturnType<typeof candidate>) =>
  waitFor(`${one.name} to lead`, one.isLeading, { timeoutMs: 10_000, everyMs: 2 })

test('one leads, the other takes over as soon as it is gone', async () => {
  const first = candidate('first')
  await leads(first)
  await using second = candidate('second')
  await waitFor('the second to queue', async () => (await waiting()) === 1, { timeoutMs: 5000 })
  expect(second.isLeading()).toBe(false)
  await first[Symbol.asyncDispose]()
  expect(first.events).toEqual(['leads', 'ends'])
  await leads(second)
})

test('a leader whose connection is cut stops leading before it does anything else, and may lead again', async () => {
  await using one = candidate('one')
  await leads(one)
  const session = one.session()!
  await database.query(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted`)
  await waitFor('the end of the term', () => one.events.includes('ends'), { timeoutMs: 5000, everyMs: 2 })
  await expect(session.query('SELECT 1')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  await leads(one)
})

test('a leader that is killed is followed at once, one that freezes soon, and it leads no more when it wakes', async () => {
  const followed = async (leader: Awaited<ReturnType<typeof leadingProcess>>, signal: NodeJS.Signals) => {
    await using next = candidate('the next')
    await waitFor('the next to queue', async () => (await waiting()) === 1, { timeoutMs: 5000 })
    const struckAt = performance.now()
    leader.signal(signal)
    await leads(next)
    const elapsedMs = Math.round(performance.now() - struckAt)
    if (signal === 'SIGSTOP') {
      leader.signal('SIGCONT')
      await waitFor('it to hear that its term is over', () => leader.events.at(-1) === 'ends', { timeoutMs: 10_000 })
      expect(next.isLeading()).toBe(true)
    }
    return elapsedMs
  }
  const told: string[] = []
  for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
    await using leader = await leadingProcess(database.url)
    told.push(`${await followed(leader, signal)} ms after ${signal}`)
  }
  process.stdout.write(`leadership: the next leads ${told.join(', ')}\n`)
}, 60_000)

test('of all who believe to lead, only one can write, however often connections are cut', async () => {
  const all = ['a', 'b', 'c'].map(candidate)
  for (let cut = 0; cut < 20; cut++) {
    await waitFor('somebody to lead', () => all.some((one) => one.isLeading()), { timeoutMs: 10_000, everyMs: 1 })
    const writes = await Promise.allSettled(all.map((one) => one.session()?.query('SELECT 1') ?? Promise.reject(new Error('no'))))
    expect(writes.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1)
    await database.query(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted`)
  }
  for (const one of all) await one[Symbol.asyncDispose]()
  expect(await waiting()).toBe(0)
}, 60_000)

test('the leader hears notifications', async () => {
  await using one = candidate('one')
  await leads(one)
  await database.query(`SELECT pg_notify('news', '')`)
  await waitFor('the notification', () => one.events.includes('notified'), { timeoutMs: 5000 })
})

/** A process of its own that leads, made to be stopped and killed. */
async function leadingProcess(url: string) {
  const child = fork(LEADER, { stdio: 'ignore' })
  const ended = once(child, 'exit')
  const events: string[] = []
  child.on('message', (event) => void events.push(event as string))
  child.send(url)
  await using owned = new AsyncDisposableStack()
  owned.defer(async () => {
    child.kill('SIGKILL')
    await ended
  })
  await waitFor('the process to lead', () => events.includes('leads'), { timeoutMs: 20_000, everyMs: 5 })
  const stack = owned.move()
  return {
    events,
    signal: (signal: NodeJS.Signals) => void child.kill(signal),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function waiting(): Promise<number> {
  const [row] = await database.query<{ count: number }>(
    `SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`,
  )
  return row!.count
}
