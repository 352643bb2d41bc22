import { expect, test } from '@jest/globals'
import { summarise } from './summary.ts'

test('percentiles are values that did occur, by nearest rank', () => {
  const values = Array.from({ length: 200 }, (_, i) => 200 - i)
  expect(summarise(values)).toMatchObject({ count: 200, p50: 100, p99: 198, max: 200 })
  expect(summarise([7])).toMatchObject({ count: 1, p50: 7, p99: 7, max: 7 })
})

test('of no values, there is nothing to tell', () => {
  expect(summarise([])).toMatchObject({ count: 0, p50: Number.NaN, max: Number.NaN })
})

test('prints as one line', () => {
  expect(summarise([1, 2.4, 3]).text).toBe('p50 2 ms · p99 3 ms · max 3 ms (n = 3)')
})
