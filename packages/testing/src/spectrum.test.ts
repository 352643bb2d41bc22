import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { strongestTone } from './spectrum.ts'

const RATE = 22_050

function sines(seconds: number, ...parts: { hz: number; dbfs: number }[]): Float32Array {
  return Float32Array.from({ length: Math.round(seconds * RATE) }, (_, i) =>
    parts.reduce((sum, { hz, dbfs }) => sum + 10 ** (dbfs / 20) * Math.sin((2 * Math.PI * hz * i) / RATE + 0.3), 0),
  )
}

describe('strongestTone', () => {
  test('tells frequency and level of a tone, between the bins too', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 60, max: 8000, noNaN: true }),
        fc.double({ min: -50, max: 0, noNaN: true }),
        fc.double({ min: 0.3, max: 1, noNaN: true }),
        (hz, dbfs, seconds) => {
          const tone = strongestTone(sines(seconds, { hz, dbfs }), RATE)
          expect(Math.abs(tone.frequencyHz! - hz)).toBeLessThan(1)
          expect(Math.abs(tone.levelDbfs - dbfs)).toBeLessThan(0.2)
          expect(tone.share).toBeGreaterThan(0.98)
        },
      ),
      { numRuns: 50 },
    )
  })

  test('names the stronger of two, with its share of the energy', () => {
    const tone = strongestTone(sines(0.5, { hz: 440, dbfs: -20 }, { hz: 660, dbfs: -14 }), RATE)
    expect(tone.frequencyHz).toBeCloseTo(660, 0)
    expect(tone.share).toBeCloseTo(0.8, 1)
  })

  test('finds no clear tone in noise', () => {
    let seed = 1
    const noise = Float32Array.from({ length: RATE / 2 }, () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647 - 0.5)
    expect(strongestTone(noise, RATE).share).toBeLessThan(0.1)
  })

  test.each([
    ['nothing at all', new Float32Array()],
    ['digital silence', new Float32Array(8000)],
    ['a tone below -60 dBFS', sines(0.5, { hz: 440, dbfs: -65 })],
  ])('hears silence in %s', (_, samples) => {
    expect(strongestTone(samples, RATE).frequencyHz).toBeNull()
  })
})
