import { describe, expect, test } from '@jest/globals'
import { toneLevels } from './tone-levels.ts'

const sampleRate = 22_050
const sine = (hz: number, levelDbfs: number, count: number) =>
  Float32Array.from({ length: count }, (_, i) => 10 ** (levelDbfs / 20) * Math.sin((2 * Math.PI * hz * i) / sampleRate))

describe('toneLevels', () => {
  test('tells each of several tones that sound at once', () => {
    const [one, two] = [sine(440, -12, 22_050), sine(1000, -30, 22_050)]
    const both = one.map((value, i) => value + two[i]!)
    const levels = toneLevels(both, { sampleRate, frequenciesHz: [440, 1000, 3000], windowMs: 100 })
    expect(levels).toHaveLength(10)
    for (const { levelsDbfs } of levels) {
      expect(levelsDbfs[0]).toBeCloseTo(-12, 0)
      expect(levelsDbfs[1]).toBeCloseTo(-30, 0)
      expect(levelsDbfs[2]).toBeLessThan(-60)
    }
  })

  test('tells when one ends and another begins', () => {
    const samples = Float32Array.from([...sine(440, -12, 11_025), ...sine(1000, -12, 11_025)])
    const levels = toneLevels(samples, { sampleRate, frequenciesHz: [440, 1000], windowMs: 100 })
    expect(levels.map(({ levelsDbfs: [a, b] }) => (a! > b! ? 'a' : 'b')).join('')).toBe('aaaaabbbbb')
    expect(levels.map(({ atMs }) => atMs).slice(0, 3)).toEqual([0, 100, 200])
  })
})
