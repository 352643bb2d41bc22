import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { silentLogger } from '@skipcast/runtime'
import { openDatabase, type Database } from '../src/database.ts'
import { newId } from '../src/new-id.ts'
import { historyOf, type History } from '../src/stores/history.ts'
import { openStores, type Stores } from '../src/stores/stores.ts'
import { testDatabase, type TestDatabase } from '../src/testing/test-database.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const start = Date.parse('2026-01-05T10:00:00Z')
const at = (ms: number) => new Date(start + ms)

let server: TestDatabase
let database: Database
let stores: Stores
let history: History
let channelId: string

beforeAll(async () => {
  server = await testDatabase()
  database = openDatabase(server.url, { logger: silentLogger() })
  stores = openStores(database, { toCommand: () => ({}) as never })
  history = historyOf({
    query: <Row>(sql: string, values: readonly unknown[] = []) => server.query(sql, [...values]) as Promise<Row[]>,
  })
}, 60_000)

afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

beforeEach(async () => {
  await server.query('TRUNCATE users, channels CASCADE')
  const { id: ownerId } = await stores.accounts.createUser({ username: newId(), role: 'dj' })
  const fields = { ownerId, name: 'n', description: '', genre: '', mode: 'copy', bitrateKbps: 128 } as const
  channelId = (await stores.channels.create({ ...fields, slug: newId().slice(-12) })).id
})

const count = (ms: number, listeners: number) =>
  stores.listenerCounts.record({ channelId, count: listeners, peak: listeners, observedAt: at(ms) })
const points = (stepMs: number, fromMs = 0, toMs = 24 * HOUR_MS) =>
  stores.listenerCounts.history(channelId, { from: at(fromMs), to: at(toMs) }, stepMs)

test('the mean of a minute is over time, not over what was told', async () => {
  await count(0, 10)
  await count(45_000, 30)
  expect(await points(MINUTE_MS)).toEqual([{ at: at(0), min: 10, max: 30, mean: 15 }])
})

test('a count that is told twice, or late, counts once', async () => {
  for (const ms of [0, 30_000, 30_000, 0, 10_000]) await count(ms, ms / 1000)
  expect(await points(MINUTE_MS)).toEqual([{ at: at(0), min: 0, max: 30, mean: 15 }])
  expect((await stores.listenerCounts.find(channelId))!.count).toBe(30)
})

test('steps are as wide as asked, and those of which nothing is known are left out', async () => {
  for (const minute of [0, 1, 2, 11]) await count(minute * MINUTE_MS, minute)
  expect(await points(5 * MINUTE_MS)).toEqual([
    { at: at(0), min: 0, max: 2, mean: 1 },
    { at: at(10 * MINUTE_MS), min: 11, max: 11, mean: 11 },
  ])
  expect(await points(MINUTE_MS, MINUTE_MS, 2 * MINUTE_MS)).toHaveLength(1)
})

test('old minutes become hours, one hour at a time, and what comes late joins them', async () => {
  for (const [minute, listeners] of [
    [0, 1],
    [59, 3],
    [60, 9],
    [120, 5],
  ] as const)
    await count(minute * MINUTE_MS, listeners)
  const before = at(2 * HOUR_MS + 30 * MINUTE_MS)
  const hours = await points(HOUR_MS)
  expect([await history.rollUp(before), await history.rollUp(before), await history.rollUp(before)]).toEqual([true, true, false])
  expect(await points(HOUR_MS)).toEqual(hours)
  expect(await server.query('SELECT at FROM listener_minutes')).toEqual([{ at: at(2 * HOUR_MS) }])
  await count(10 * MINUTE_MS, 8)
  expect(await history.rollUp(before)).toBe(true)
  expect((await points(HOUR_MS))[0]).toEqual({ at: at(0), min: 1, max: 8, mean: 4 })
})

test('what is too old is forgotten', async () => {
  await count(0, 1)
  await count(5 * HOUR_MS, 1)
  while (await history.rollUp(at(10 * HOUR_MS)));
  const play = { channelId, mediaId: 'm', title: 't', artist: 'a', serverId: 's' }
  for (const hour of [0, 5]) await stores.trackPlays.record({ ...play, id: `p${hour}`, startedAt: at(hour * HOUR_MS) })
  while (await history.forgetListenerHours(at(HOUR_MS)));
  while (await history.forgetTrackPlays(at(HOUR_MS)));
  expect(await points(HOUR_MS)).toHaveLength(1)
  const { items } = await stores.trackPlays.list(channelId, { from: at(0), to: at(24 * HOUR_MS) }, { page: 1, perPage: 10 })
  expect(items).toEqual([{ ...play, id: 'p5', startedAt: at(5 * HOUR_MS) }])
})

test('a track play that is told twice stands in the log once, and none for a channel that is gone', async () => {
  const play = { id: 'one', channelId, mediaId: 'm', title: 't', artist: 'a', serverId: 's', startedAt: at(0) }
  for (const _ of [1, 2]) await stores.trackPlays.record(play)
  await stores.trackPlays.record({ ...play, id: 'two', channelId: newId() })
  expect(await server.query('SELECT id FROM track_plays')).toEqual([{ id: 'one' }])
})
