import { expect, test } from '@jest/globals'
import type { Channel } from '@skipcast/db'
import { viewCounter } from './count-views.ts'

const channel = { id: 'c', ownerId: 'o' } as Channel
const other = { id: 'd', ownerId: 'o' } as Channel

test('a viewer is counted once a day for each channel, under a name that no other day and channel knows', async () => {
  const counted: string[] = []
  let now = Date.parse('2026-01-01T12:00:00Z')
  const countView = async (channelId: string, day: Date, viewer: string) =>
    void counted.push(`${channelId} ${day.toISOString().slice(0, 10)} ${viewer}`)
  const counter = viewCounter({ countView }, 'secret', () => now)
  for (const userId of ['u', null, 'u', null]) counter.looked(channel, { userId, address: '192.0.2.1' })
  counter.looked(channel, { userId: 'o', address: '192.0.2.1' })
  counter.looked(other, { userId: 'u', address: '192.0.2.1' })
  now += 86_400_000
  counter.looked(channel, { userId: 'u', address: '192.0.2.9' })
  expect(counted.map((text) => text.slice(0, 12))).toEqual(['c 2026-01-01', 'c 2026-01-01', 'd 2026-01-01', 'c 2026-01-02'])
  expect(new Set(counted.map((text) => text.slice(13))).size).toBe(4)
})

test('what could not be written is counted the next time', async () => {
  let isAway = true
  let calls = 0
  const countView = async () => {
    calls += 1
    if (isAway) throw new Error('away')
  }
  const counter = viewCounter({ countView }, 'secret', () => 0)
  counter.looked(channel, { userId: 'u', address: '' })
  await new Promise(setImmediate)
  isAway = false
  counter.looked(channel, { userId: 'u', address: '' })
  counter.looked(channel, { userId: 'u', address: '' })
  expect(calls).toBe(2)
})
