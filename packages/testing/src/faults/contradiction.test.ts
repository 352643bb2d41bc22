import { expect, test } from '@jest/globals'
import { holes, longestContradiction } from './contradiction.ts'

/** Sound every 100 ms from one moment up to another. */
const sound = (from: number, to: number) => Array.from({ length: (to - from) / 100 + 1 }, (_, i) => from + i * 100)
const window = { from: 0, to: 10_000 }

test('a hole is a time without sound, also one that lasts', () => {
  expect(holes([...sound(0, 2000), ...sound(3000, 9000)], 500, 10_000)).toEqual([
    { from: 2000, to: 3000 },
    { from: 9000, to: 10_000 },
  ])
  expect(holes(sound(0, 10_000), 0, 10_000)).toEqual([])
})

test('status that says on air while nothing is heard contradicts until it is told, or heard again', () => {
  const sounds = [...sound(0, 2000), ...sound(6000, 10_000)]
  const claims = [
    { at: -5, phase: 'on_air' },
    { at: 3200, phase: 'failing' },
    { at: 6700, phase: 'on_air' },
  ] as const
  expect(longestContradiction(claims, sounds, window)).toBe(1200)
  expect(longestContradiction(claims.slice(0, 1), sounds, window)).toBe(4000)
})

test('different phases that are all wrong are one contradiction', () => {
  const claims = [
    { at: 0, phase: 'on_air' },
    { at: 4000, phase: 'failing' },
    { at: 5000, phase: 'starting' },
    { at: 6500, phase: 'on_air' },
  ] as const
  expect(longestContradiction(claims, sound(0, 10_000), window)).toBe(2500)
})

test('who says nothing contradicts nobody', () => {
  const claims = [
    { at: 0, phase: 'on_air' },
    { at: 2300, phase: null },
  ] as const
  expect(longestContradiction(claims, sound(0, 2000), window)).toBe(300)
  expect(longestContradiction([], sound(0, 2000), window)).toBe(0)
})
