import { expect, test } from '@jest/globals'
import { preferredWaitMs } from './prefer-wait.ts'

test.each([
  ['wait=20', 20_000],
  ['respond-async, wait=5', 5000],
  ['Wait = "7"; foo', 7000],
  ['wait=100000', 60_000],
  [['handling=lenient', 'wait=1'], 1000],
  ['wait=-1', 0],
  ['wait=x', 0],
  ['await=9', 0],
  [undefined, 0],
])('Prefer: %j is a wait of %i ms', (header, ms) => {
  expect(preferredWaitMs(header)).toBe(ms)
})
