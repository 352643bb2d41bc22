import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { sharedLocks, type SharedLocks } from '../src/shared-locks.ts'
import { testDatabase, type TestDatabase } from '../src/testing/test-database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
}, 60_000)
afterAll(async () => {
  await database[Symbol.asyncDispose]()
})

const take = (locks: SharedLocks, name: string, waitMs = 0, onWanted = () => {}) =>
  locks.take(name, { waitMs, stop: AbortSignal.timeout(60_000), onWanted })

test('a lock is of one process at a time, whose holder hears that another waits; others are free meanwhile', async () => {
  await using one = sharedLocks(database)
  await using two = sharedLocks(database)
  const wanted = Promise.withResolvers<void>()
  const held = await take(one, 'x', 0, wanted.resolve)
  expect(await take(two, 'x')).toBeNull()
  await using other = await take(two, 'y')
  expect(other).not.toBeNull()
  const waiting = take(two, 'x', 30_000)
  await wanted.promise
  await held![Symbol.asyncDispose]()
  await using got = await waiting
  expect(got).not.toBeNull()
  expect(await take(one, 'x')).toBeNull()
})

test('with the connection of a process its locks are lost: it hears of that, others may have them, and so may it again', async () => {
  await using one = sharedLocks(database)
  await using two = sharedLocks(database)
  const lost = Promise.withResolvers<void>()
  const held = await take(one, 'x', 0, lost.resolve)
  await database.query(`
    SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
  await lost.promise
  await using _other = await waitFor('the lock', () => take(two, 'x'), { timeoutMs: 10_000 })
  await held![Symbol.asyncDispose]() // which is no longer ours to give back
  expect(await take(one, 'x')).toBeNull()
  await using again = await take(one, 'z')
  expect(again).not.toBeNull()
})
