import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { headerText, songText } from './icecast-text.ts'

describe('text for Icecast', () => {
  test('keeps what people write', () => {
    for (const text of ['Café', '漢字 かな', '😀👩‍👩‍👧', `#{process.run("x")}"`, `'; $(x) \`y\``, 'annotate:title="x":process:y']) {
      expect(headerText(text)).toBe(text)
    }
  })

  test('holds no control character, no line end, no half character, and 255 bytes at most (A1, A2, A3)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (text) => {
        for (const clean of [headerText(text), songText(text)]) {
          expect(clean).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\ufffe\uffff]/u)
          expect(clean.isWellFormed()).toBe(true)
          expect(Buffer.byteLength(clean)).toBeLessThanOrEqual(255)
        }
      }),
    )
    expect(headerText('new\r\nX-Evil: 1\u0000')).toBe('new X-Evil: 1')
    expect(headerText('a\ufffe\uffffb')).toBe('a b')
  })

  test('is cut between characters', () => {
    expect(headerText('é'.repeat(200))).toBe('é'.repeat(127))
    expect(headerText('😀'.repeat(64))).toBe('😀'.repeat(63))
  })

  test('of a song can not end the title that listeners get', () => {
    expect(songText("x';StreamUrl='http://evil/")).toBe("x’;StreamUrl='http://evil/")
    expect(songText("rock'n'roll; it's")).toBe("rock'n'roll; it's")
  })
})
