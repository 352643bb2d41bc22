import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { aStart, aTrack, primary } from '../test/streams.ts'
import { awaitTurns } from './await-turns.ts'
import type { Seat } from './domain/seat.ts'
import { STARTING_MS } from './resume.ts'

const tracks = [aTrack('one', { duration_ms: 10_000 }), aTrack('two', { duration_ms: 5000 })]
/** Asked for at 1000, when 4 of the first track's 10 s had been sent. */
const moving = aStart('a', {
  tracks,
  takes_over: { server_id: 'there', at: 'track_end' },
  playing: { media_id: 'one', sent_at: -3000 },
})
const seats = (...all: Seat[]) => new Map(all.map((seat) => [seat.start.channel_id, seat]))

beforeEach(() => {
  jest.useFakeTimers()
})
afterEach(() => {
  jest.useRealTimers()
})

test('a stream begins once the track ends that was heard when it was asked for, and so for an agent that came later', () => {
  let now = 1000
  let nudges = 0
  using turns = awaitTurns(
    { wallMs: () => now, steadyMs: () => now },
    () => null,
    () => (nudges += 1),
  )
  expect([...turns.waiting(seats(primary(moving)))]).toEqual(['a'])
  jest.advanceTimersByTime(5999 - STARTING_MS)
  expect(nudges).toBe(0)
  jest.advanceTimersByTime(1)
  expect(nudges).toBe(1)
  now = 7000 - STARTING_MS
  expect(turns.waiting(seats(primary(moving))).size).toBe(0)
  now = 9000
  using later = awaitTurns(
    { wallMs: () => now, steadyMs: () => now },
    () => null,
    () => {},
  )
  expect(later.waiting(seats(primary(moving))).size).toBe(0)
})

test('nobody waits who is in a hurry, knows no track, or is the second replica', () => {
  using turns = awaitTurns(
    { wallMs: () => 1000, steadyMs: () => 0 },
    () => null,
    () => {},
  )
  const { playing: _, ...unknown } = moving
  const hurried = { ...moving, takes_over: { server_id: 'there', at: 'now' as const } }
  const same = { ...moving, takes_over: { server_id: 'here', at: 'track_end' as const } }
  for (const start of [unknown, hurried, same]) expect(turns.waiting(seats(primary(start))).size).toBe(0)
  expect(turns.waiting(seats({ role: 'standby', start: moving })).size).toBe(0)
})

test('nobody waits who has been heard already, and lost an engine since', () => {
  const last = { playId: 'e.1', mediaId: 'one', epoch: 1, sentAt: null }
  using turns = awaitTurns(
    { wallMs: () => 1000, steadyMs: () => 0 },
    () => last,
    () => {},
  )
  expect(turns.waiting(seats(primary(moving))).size).toBe(0)
  expect(turns.waiting(seats(primary({ ...moving, epoch: 2 }))).size).toBe(1)
})

test.each([
  ['this server', 1000 - 3_600_000, 0],
  ['who gave the command', 1000, 3_600_000],
])('where the clock of %s is wrong, nobody waits longer than the rest of the track', (_, wallMs, aheadMs) => {
  let steadyMs = 0
  let nudges = 0
  using turns = awaitTurns(
    { wallMs: () => wallMs, steadyMs: () => steadyMs },
    () => null,
    () => (nudges += 1),
  )
  const start = { ...moving, occurred_at: moving.occurred_at + aheadMs, playing: { media_id: 'one', sent_at: aheadMs - 3000 } }
  expect(turns.waiting(seats(primary(start))).size).toBe(1)
  steadyMs = 5000
  expect(turns.waiting(seats(primary(start))).size).toBe(1)
  jest.advanceTimersByTime(1000 - STARTING_MS)
  expect(nudges).toBe(1)
  steadyMs = 6000 - STARTING_MS
  expect(turns.waiting(seats(primary(start))).size).toBe(0)
})
