import { describe, expect, test } from '@jest/globals'
import { hostileStrings } from './hostile-strings.ts'

describe('hostile strings', () => {
  const strings = hostileStrings(1, 5000, '/canary')

  test('are the same for the same seed, and others for another', () => {
    expect(hostileStrings(1, 5000, '/canary')).toEqual(strings)
    expect(hostileStrings(2, 5000, '/canary')).not.toEqual(strings)
  })

  test('never repeat, and stay within their length', () => {
    expect(new Set(strings).size).toBe(5000)
    expect(Math.max(...strings.map(({ length }) => length))).toBe(10_240)
  })

  test('have both what a field may hold and what it must refuse', () => {
    const printable = strings.filter((text) => text.length > 0 && text.length < 120 && !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(text))
    expect(printable.length).toBeGreaterThan(1500)
    for (const part of ['\0', '\r\n', '#{', 'process:', '<script>', '%n', '\u202e', '👩', '/canary'])
      expect(strings.filter((text) => text.includes(part)).length).toBeGreaterThan(10)
  })
})
