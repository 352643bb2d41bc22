import { expect, test } from '@jest/globals'
import { mediaKeeping } from './keep-media.ts'

const DAY_MS = 86_400_000
const NOW = 100 * DAY_MS

function setUp(limits: { trashDays: number; busForgets: boolean }) {
  const asked: number[] = []
  const purged: number[] = []
  const forgotten: number[] = []
  let left = 2
  const pass = mediaKeeping(
    {
      mediaJobs: {
        list: async () => [],
        record: async () => {},
        askAgain: async (since) => (asked.push(since.getTime()), 0),
        forgetDone: async (before) => (forgotten.push(before.getTime()), 0),
      },
      mediaTrash: {
        put: () => Promise.reject(new Error('not now')),
        find: async () => null,
        restore: async () => [],
        remove: async () => false,
        purge: async (before) => (purged.push(before.getTime()), left--),
      },
    },
    limits,
    NOW - 1000,
  )
  return { pass, asked, purged, forgotten }
}

test('what is in the trash goes after its days, however much it is, work of yesterday is asked for again, and what was done a week ago is forgotten', async () => {
  const { pass, asked, purged, forgotten } = setUp({ trashDays: 30, busForgets: false })
  await pass(NOW)
  expect(purged).toEqual(Array.from({ length: 3 }, () => NOW - 30 * DAY_MS))
  expect(asked).toEqual([NOW - DAY_MS])
  expect(forgotten).toEqual([NOW - 7 * DAY_MS])
})

test('of a bus that forgets, all work from before this process is asked for again', async () => {
  const { pass, asked } = setUp({ trashDays: 30, busForgets: true })
  await pass(NOW)
  expect(asked).toEqual([NOW - 1000])
})
