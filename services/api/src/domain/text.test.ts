import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { isVisible, printable, tidy } from './text.ts'

const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom('\0', '\n', '\r', '\u0085', '\u2028', '\ud800', '#{', '\u{1f4fb}', ' '),
    fc.constantFrom('\u200b', '\u200c', '\u200d', '\u202e', '\u{1f3f4}', '\u{e0067}', '\u{e007f}'),
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

test.each(['gnp\u202e.exe', '\u2066x\u2069', 'a\u200bb', 'a\u00adb', '\ufeffa', '\u3164', '\u200f'])(
  '%j is not what it looks like, and not printable',
  (text) => {
    expect(printable(0, 10).test(text)).toBe(false)
    expect(tidy(`a ${text} z`, 20)).toMatch(/^a .* z$/)
  },
)

test.each(['👩‍👩‍👧‍👦', '🏳️‍🌈', '🧑🏽‍🚀', '🏴󠁧󠁢󠁥󠁮󠁧󠁿 Albion', '❤️', 'می‌خواهم', 'क्‍ष', 'שלום', '1️⃣', '葛󠄀'])(
  'what %s is made of is not astray, nor taken away',
  (text) => {
    expect(printable(1, 20).test(text) && isVisible(text)).toBe(true)
    expect(tidy(text, 20)).toBe(text)
  },
)

test.each(['\u200d', 'a\u200d', '\u200ca', 'a\u200d\u200db', 'a \u200db', 'a\u{e0067}b', '\u{1f3f4}\u{e0067}', '\u{e0001}'])(
  '%j has something invisible where none belongs',
  (text) => {
    expect(isVisible(text)).toBe(false)
  },
)

test('tidied text is always printable, within its limit, and stays as it is when tidied again', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 1, max: 40 }), (text, max) => {
      const tidied = tidy(text, max)
      expect(printable(0, max).test(tidied) && isVisible(tidied)).toBe(true)
      expect(tidy(tidied, max)).toBe(tidied)
    }),
  )
})
