import { expect, test } from '@jest/globals'
import { ownStalls } from './own-stalls.ts'

test('a stall of our own is noticed by the first who asks after it, and only that late', () => {
  let now = 1000
  using stalls = ownStalls({ steadyMs: () => now })
  for (let step = 0; step < 20; step++) {
    now += 900
    expect(stalls.endedAt()).toBe(-Infinity)
  }
  now += 9000
  expect(stalls.endedAt()).toBe(now)
  now += 900
  expect(stalls.endedAt()).toBe(now - 900)
})
