import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { gapMeter, gaps } from './gap-meter.ts'

const arrivals = fc.array(fc.integer({ min: 0, max: 10_000 }), { maxLength: 100 }).map((values) => values.sort((a, b) => a - b))

describe('gaps', () => {
  test('are the times between arrivals', () => {
    expect(gaps([100, 150, 350, 400], 100, 400)).toEqual([50, 200, 50, 0])
  })

  test('count whole when they began before the window', () => {
    expect(gaps([100, 600, 650], 500, 700)).toEqual([500, 50, 50])
  })

  test('count until the end of the window when they still last', () => {
    expect(gaps([100, 150], 120, 1150)).toEqual([50, 1000])
    expect(gaps([100, 150, 9000], 120, 1150)).toEqual([50, 1000])
  })

  test('begin with the window where nothing ever came', () => {
    expect(gaps([], 100, 1100)).toEqual([1000])
  })

  test('cover the window without a hole', () => {
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 5000 }), (times, from, length) => {
        const before = times.findLast((at) => at <= from) ?? from
        const total = gaps(times, from, from + length).reduce((sum, gap) => sum + gap, 0)
        expect(total).toBe(from + length - before)
      }),
    )
  })
})

test('gapMeter sums the gaps of a window up', () => {
  expect(gapMeter({ arrivals: [0, 100, 200, 700, 800] }).between(0, 800)).toMatchObject({ count: 5, p50: 100, max: 500 })
})
