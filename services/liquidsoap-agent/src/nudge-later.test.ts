import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { nudgeLater } from './nudge-later.ts'

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())

test('who asks in answer to each nudge is nudged at a pace, not as fast as it can ask', () => {
  let nudges = 0
  const later = nudgeLater(() => {
    nudges += 1
    later.ask()
    later.ask()
  }, 50)
  later.ask()
  later.ask()
  jest.advanceTimersByTime(1000)
  expect(nudges).toBe(20)
  later[Symbol.dispose]()
  jest.advanceTimersByTime(1000)
  expect(nudges).toBe(20)
})
