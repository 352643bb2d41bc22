import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { silentLogger, waitFor } from '@skipcast/runtime'
import { leadership, type LeaderSession } from '../src/leadership.ts'
import { testDatabase, type TestDatabase } from '../src/testing/test-database.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
}, 60_000)

afterAll(async () => {
  await database[Symbol.asyncDispose]()
})

/** One who wants to lead, and what happened to it. */
function candidate(name: string) {
  const events: string[] = []
  let session: LeaderSession | null = null
  const claim = leadership({
    url: database.url,
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

async function waiting(): Promise<number> {
  const [row] = await database.query<{ count: number }>(
    `SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`,
  )
  return row!.count
}
