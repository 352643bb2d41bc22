import { describe, expect, test } from '@jest/globals'
import { SAMPLE_RATE } from './mix.ts'
import { hertz } from './notes.ts'
import { seededRandom } from './random.ts'
import { bell, glass, pluck, vibraphone } from './ringing.ts'
import { bass, electricPiano, pad } from './sustained.ts'

const random = seededRandom(7)
const padShape = { seconds: 2, attackSeconds: 0.2, releaseSeconds: 0.2, darkHz: 400, brightHz: 1500, random }
const instruments: [string, (hz: number) => Float32Array, string[]][] = [
  ['pluck', (hz) => pluck(hz, { velocity: 0.8, ringSeconds: 2, softness: 0.5, random }), ['c2', 'a3', 'e5', 'c6']],
  ['bell', (hz) => bell(hz, 0.8), ['a4', 'f6']],
  ['vibraphone', (hz) => vibraphone(hz, 0.8), ['b4', 'c6']],
  ['glass', (hz) => glass(hz, 0.8), ['d4', 'd6']],
  ['electric piano', (hz) => electricPiano(hz, { velocity: 0.8, seconds: 1 }), ['f#3', 'b4']],
  ['bass', (hz) => bass(hz, { velocity: 0.8, seconds: 1 }), ['g1', 'a2']],
  ['pad', (hz) => pad([hz], padShape).left, ['d2', 'f#4', 'a5']],
]

describe.each(instruments)('%s', (_, play, notes) => {
  test.each(notes)('is in tune at %s', (note) => {
    expect(Math.abs(centsOff(play(hertz(note)), hertz(note)))).toBeLessThanOrEqual(8)
  })

  test('begins and ends at zero, and stays within reason', () => {
    const sound = play(hertz(notes[0]!))
    expect(Math.abs(sound[0]!)).toBeLessThan(0.02)
    expect(Math.abs(sound.at(-1)!)).toBeLessThan(0.001)
    const peak = sound.reduce((most, sample) => (sample > most ? sample : -sample > most ? -sample : most), 0)
    expect(peak).toBeGreaterThan(0.05)
    expect(peak).toBeLessThan(2)
  })
})

/** How far the strongest frequency near `hz` is from it, searched in steps of 2 cents. */
function centsOff(sound: Float32Array, hz: number): number {
  const part = sound.subarray(2000, 2000 + SAMPLE_RATE)
  const weighted = part.map((sample, i) => (sample * i * (part.length - i)) / part.length ** 2)
  const cents = Array.from({ length: 41 }, (_, i) => (i - 20) * 2)
  const energies = cents.map((offset) => energyAt(weighted, hz * 2 ** (offset / 1200)))
  return cents[energies.indexOf(Math.max(...energies))]!
}

/** Goertzel's filter: one bin of a Fourier transform, wherever it lies. */
function energyAt(sound: Float32Array, hz: number): number {
  const turn = 2 * Math.cos((2 * Math.PI * hz) / SAMPLE_RATE)
  let [before, last] = [0, 0]
  for (let i = 0; i < sound.length; i++) {
    const next = sound[i]! + turn * last - before
    before = last
    last = next
  }
  return last * last + before * before - turn * last * before
}
