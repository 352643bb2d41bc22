import { expect, test } from '@jest/globals'
import { chord, hertz, melody } from './notes.ts'

test('a name gives its frequency in equal temperament', () => {
  expect(hertz('a4')).toBe(440)
  expect(hertz('a3')).toBe(220)
  expect(hertz('c4')).toBeCloseTo(261.626, 3)
  expect(hertz('f#5')).toBeCloseTo(739.989, 3)
  expect(hertz('bb2')).toBeCloseTo(116.541, 3)
})

test.each(['h4', 'a', 'a#', 'A4', 'a44', ''])('"%s" is no note', (name) => {
  expect(() => hertz(name)).toThrow(RangeError)
})

test('a chord is its notes', () => {
  expect(chord(' a3  a4 a5 ')).toEqual([220, 440, 880])
})

test('a melody puts its notes one after the other, rests and bar lines aside', () => {
  expect(melody('a4:1.5 -:.5 | a3 a5:2')).toEqual([
    { hz: 440, beat: 0, beats: 1.5 },
    { hz: 220, beat: 2, beats: 1 },
    { hz: 880, beat: 3, beats: 2 },
  ])
})
