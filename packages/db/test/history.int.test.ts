import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { silentLogger } from '@skipcast/runtime'
import { openDatabase, type Database } from '../src/database.ts'
import { newId } from '../src/new-id.ts'
import { historyOf, type History } from '../src/stores/history.ts'
import { openStores, type Stores } from '../src/stores/stores.ts'
import { PATIENT, testDatabase, type TestDatabase } from '../src/testing/test-database.ts'

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
  database = openDatabase(server.url, { logger: silentLogger(), patience: PATIENT })
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
  const fields = { ownerId, name: 'n', description: '', mode: 'copy', bitrateKbps: 128 } as const
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

/** For connections made from now on: each query of `history` has one of its own here. */
async function useTimeZone(zone: string): Promise<void> {
  await server.query(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), '${zone}'); END $$`)
  expect(await server.query('SHOW timezone')).toEqual([{ TimeZone: zone }])
}

test('an hour begins and ends on the hour of UTC, to the millisecond, whatever zone the database lives in', async () => {
  await useTimeZone('Asia/Kolkata') // half an hour beside UTC
  await count(HOUR_MS - 1, 3)
  await count(HOUR_MS, 7)
  expect(await history.rollUp(at(HOUR_MS - 1))).toBe(false)
  expect(await history.rollUp(at(HOUR_MS))).toBe(true)
  expect(await history.rollUp(at(2 * HOUR_MS - 1))).toBe(false)
  expect(await server.query('SELECT at, max FROM listener_hours')).toEqual([{ at: at(0), max: 3 }])
  expect(await server.query('SELECT at, max FROM listener_minutes')).toEqual([{ at: at(HOUR_MS), max: 7 }])
  await useTimeZone('UTC')
})

test('a step takes what lies in it, its beginning included, its end not', async () => {
  await count(MINUTE_MS - 1, 1)
  await count(MINUTE_MS, 2)
  await count(2 * MINUTE_MS, 4)
  expect(await points(MINUTE_MS)).toMatchObject([
    { at: at(0), max: 1 },
    { at: at(MINUTE_MS), max: 2 },
    { at: at(2 * MINUTE_MS), max: 4 },
  ])
  expect(await points(MINUTE_MS, MINUTE_MS, 2 * MINUTE_MS)).toMatchObject([{ at: at(MINUTE_MS), max: 2 }])
})

test('what is too old is gone to the last row, however much it is, and nothing younger is', async () => {
  const rows = 10_001
  await server.query(
    `INSERT INTO listener_hours (channel_id, at, min, max, mean, minutes)
     SELECT $1, $2::timestamptz - n * interval '1 hour', 0, 0, 0, 60 FROM generate_series(0, ${rows}) n`,
    [channelId, at(0)],
  )
  const steps: boolean[] = []
  do steps.push(await history.forgetListenerHours(at(0)))
  while (steps.at(-1))
  expect(steps).toEqual([true, true, false])
  expect(await server.query('SELECT at FROM listener_hours')).toEqual([{ at: at(0) }])
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
