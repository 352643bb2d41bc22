import { describe, expect, test } from '@jest/globals'
import { loudness } from './loudness.ts'
import { master } from './mastering.ts'
import { emptyMix, place, SAMPLE_RATE } from './mix.ts'
import { seededRandom } from './random.ts'

const { sin } = Math // globals are slow to reach from within a test
const sine = (seconds: number, hz: number, dbfs: number) => {
  const [amplitude, step] = [10 ** (dbfs / 20), (2 * Math.PI * hz) / SAMPLE_RATE]
  return new Float32Array(seconds * SAMPLE_RATE).map((_, i) => amplitude * sin(step * i))
}

describe('loudness', () => {
  test('of a stereo sine of 1 kHz is its level (EBU Tech 3341, cases 1 and 2)', () => {
    expect(loudness(sine(5, 1000, -23), sine(5, 1000, -23))).toBeCloseTo(-23, 1)
    expect(loudness(sine(5, 1000, -33), sine(5, 1000, -33))).toBeCloseTo(-33, 1)
  })

  test('leaves quiet parts out (EBU Tech 3341, case 3)', () => {
    const parts = Float32Array.from([...sine(5, 1000, -36), ...sine(20, 1000, -23), ...sine(5, 1000, -36)])
    expect(Math.abs(loudness(parts, parts) - -23)).toBeLessThan(0.1)
  })
})

describe('place', () => {
  test('leaves out what lies before the beginning and after the end', () => {
    const mix = emptyMix(4 / SAMPLE_RATE)
    const sound = Float32Array.of(1, 2, 3, 4, 5, 6)
    place(mix, sound, { atSeconds: -1 / SAMPLE_RATE, gain: 1 })
    expect([...mix.left].map(Math.round)).toEqual([2, 3, 4, 5])
    place(mix, sound, { atSeconds: 3 / SAMPLE_RATE, gain: 1, pan: -1 })
    expect(mix.right[3]).toBeCloseTo(5)
    expect(mix.left[3]).toBeCloseTo(5 + Math.SQRT2)
  })
})

describe('master', () => {
  const options = { fadeInSeconds: 0.01, fadeOutSeconds: 0.5, random: seededRandom(1) }
  const finish = (sound: Float32Array) => {
    const mix = emptyMix(sound.length / SAMPLE_RATE)
    place(mix, sound, { atSeconds: 0, gain: 1 })
    return master(mix, options)
  }
  const channel = (samples: Int16Array, side: 0 | 1) =>
    Float32Array.from({ length: samples.length / 2 }, (_, i) => samples[2 * i + side]! / 32_768)

  test.each([-40, -6, 12])('brings a recording at %s dBFS to -16 LUFS', (dbfs) => {
    const samples = finish(sine(2, 440, dbfs))
    expect(loudness(channel(samples, 0), channel(samples, 1))).toBeCloseTo(-16, 0)
  })

  test('lets no peak pass -1.5 dBFS', () => {
    const sound = sine(2, 220, -30)
    for (let i = SAMPLE_RATE; i < sound.length; i += SAMPLE_RATE / 2) sound.set(sine(1, 90, 6).subarray(0, 2000), i)
    const samples = finish(sound)
    expect(samples.filter((sample) => sample > 27_528 || sample < -27_528)).toHaveLength(0)
  })

  test('begins and ends at zero', () => {
    const samples = finish(sine(2, 440, -6))
    expect(Math.abs(samples[0]!)).toBeLessThan(3)
    expect(Math.abs(samples.at(-1)!)).toBeLessThan(3)
  })
})
