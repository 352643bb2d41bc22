import { expect, test } from '@jest/globals'
import { isAtLeast } from './programs.ts'

test.each([
  ['2.1.3', '2.1.3', true],
  ['2.10', '2.9.9', true],
  ['2.4', '2.4.4', false],
  ['5.1.9-0', '4.4', true],
  ['1.9.9', '2', false],
])('%s against %s: %s', (version, least, isEnough) => {
  expect(isAtLeast(version, least)).toBe(isEnough)
})
