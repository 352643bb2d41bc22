import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { wantedBytes } from './byte-range.ts'

const part = (first: number, last: number) => ({ kind: 'part', first, last })

test.each([
  ['bytes=0-0', part(0, 0)],
  ['bytes=0-99', part(0, 99)],
  ['bytes=10-', part(10, 99)],
  ['bytes=99-', part(99, 99)],
  ['bytes=-1', part(99, 99)],
  ['bytes=-100', part(0, 99)],
  ['bytes=-5000', part(0, 99)],
  ['bytes=0-99999999999999999999999', part(0, 99)],
  ['BYTES=1-2', part(1, 2)],
])('%s of 100 bytes is a part', (header, wanted) => {
  expect(wantedBytes(header, 100)).toEqual(wanted)
})

test.each(['bytes=100-', 'bytes=100-200', 'bytes=-0', 'bytes=99999999999999999999999-'])(
  '%s of 100 bytes is nothing',
  (header) => {
    expect(wantedBytes(header, 100)).toEqual({ kind: 'unsatisfiable' })
  },
)

test.each([
  undefined,
  '',
  'bytes=',
  'bytes=-',
  'bytes=5-1',
  'bytes=0-1,3-4',
  'bytes=a-b',
  'lines=0-1',
  'bytes=0x0-1',
  'bytes=-1-2',
  'bytes= 0-1',
])('%s counts as no range', (header) => {
  expect(wantedBytes(header, 100)).toEqual({ kind: 'whole' })
})

test('a part always lies within the file', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'bytes=0123456789-, '.split('')) }), fc.nat(), (text, sizeBytes) => {
      const wanted = wantedBytes(text, sizeBytes)
      if (wanted.kind !== 'part') return
      expect(wanted.first).toBeGreaterThanOrEqual(0)
      expect(wanted.first).toBeLessThanOrEqual(wanted.last)
      expect(wanted.last).toBeLessThan(sizeBytes)
    }),
  )
})
