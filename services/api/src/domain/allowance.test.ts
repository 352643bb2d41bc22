import { expect, test } from '@jest/globals'
import { allowance } from './allowance.ts'

test('some at once, then as time passes, and never more for having waited', () => {
  let now = 5000
  const moves = allowance({ perSecond: 4, atOnce: 3 }, () => now)
  const items = [1, 2, 3, 4, 5, 6]
  expect(moves.take(items)).toEqual([1, 2, 3])
  expect(moves.take(items)).toEqual([])
  now += 600
  expect(moves.take(items)).toEqual([1, 2])
  now += 60_000
  expect(moves.take(items)).toEqual([1, 2, 3])
})
