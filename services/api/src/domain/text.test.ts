import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { printable, tidy } from './text.ts'

const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom('\0', '\n', '\r', '\u0085', '\u2028', '\ud800', '#{', '\u{1f4fb}'),
    fc.string({ unit: 'binary', maxLength: 2 }),
  ),
  maxLength: 60,
})

test('printable text has the length that a reader counts', () => {
  expect(printable(1, 3).test('📻📻📻')).toBe(true)
  expect(printable(1, 3).test('📻📻📻📻')).toBe(false)
  expect(printable(1, 3).test('')).toBe(false)
})

test.each(['\0', 'a\nb', 'a\r', '\u007f', '\u0085', '\u2028', '\ud800'])('%j is not printable on one line', (text) => {
  expect(printable(0, 10).test(text)).toBe(false)
})

test.each(['#{process.run("touch x")}', "'; DROP TABLE users; --", '<script>', 'annotate:x', '🇫🇷 é'])(
  '%j is text like any other',
  (text) => {
    expect(printable(1, 120).test(text)).toBe(true)
  },
)

test('tidied text is always printable, within its limit, and stays as it is when tidied again', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 1, max: 40 }), (text, max) => {
      const tidied = tidy(text, max)
      expect(printable(0, max).test(tidied)).toBe(true)
      expect(tidy(tidied, max)).toBe(tidied)
    }),
  )
})
