import { SAMPLE_RATE } from './mix.ts'
import type { Random } from './random.ts'
import { fadeEnd } from './ringing.ts'

/** Big enough to be read without interpolation: the error is 72 dB down. */
const TABLE_SIZE = 4096
const MASK = TABLE_SIZE - 1
const SINE = Float32Array.from({ length: 16_384 }, (_, i) => Math.sin((2 * Math.PI * i) / 16_384))
const SINE_MASK = 16_383

export interface PadOptions {
  readonly seconds: number
  readonly attackSeconds: number
  readonly releaseSeconds: number
  /** Where the harmonics begin to fall away, at its darkest and its brightest, in Hz. */
  readonly darkHz: number
  readonly brightHz: number
  readonly random: Random
}

/**
 * A chord of an ensemble's strings: for each ear and note four saw waves a little out of tune, without harmonics that could
 * alias, whose brightness comes and goes. `seconds` includes attack and release.
 */
export function pad(chord: readonly number[], options: PadOptions): { left: Float32Array; right: Float32Array } {
  const notes = chord.map((hz) => ({ hz, dark: sawTable(hz, options.darkHz), bright: sawTable(hz, options.brightHz) }))
  return { left: padChannel(notes, options), right: padChannel(notes, options) }
}

const PAD_CENTS = [-7, -2.5, 3, 8]

interface PadNote {
  readonly hz: number
  readonly dark: Float32Array
  readonly bright: Float32Array
}

function padChannel(notes: readonly PadNote[], { seconds, attackSeconds, releaseSeconds, random }: PadOptions): Float32Array {
  const out = new Float32Array(Math.round(seconds * SAMPLE_RATE))
  for (const { hz, dark, bright } of notes) {
    const swell = { phase: random(), perSample: (0.07 + 0.05 * random()) / SAMPLE_RATE }
    for (const cents of PAD_CENTS) {
      const step = (hz * 2 ** ((cents + 2 * random() - 1) / 1200) * TABLE_SIZE) / SAMPLE_RATE
      let at = random() * TABLE_SIZE
      for (let block = 0; block < out.length; block += 64) {
        const light = 0.5 - 0.5 * Math.cos(2 * Math.PI * (swell.phase + block * swell.perSample))
        const end = Math.min(out.length, block + 64)
        for (let i = block; i < end; i++) {
          const index = at & MASK
          out[i]! += dark[index]! + light * (bright[index]! - dark[index]!)
          at += step
        }
      }
    }
  }
  const [attack, release] = [attackSeconds * SAMPLE_RATE, releaseSeconds * SAMPLE_RATE]
  for (let i = 0; i < out.length; i++) out[i]! *= 0.1 * smooth(i / attack) * smooth((out.length - i) / release)
  return out
}

/** One turn of a saw wave whose harmonics fall off more steeply above `cutoffHz`, and end well below the highest frequency there is. */
function sawTable(hz: number, cutoffHz: number): Float32Array {
  const table = new Float32Array(TABLE_SIZE)
  const harmonics = Math.min(60, Math.floor(14_000 / hz))
  for (let n = 1; n <= harmonics; n++) {
    const strength = 1 / (n * (1 + ((n * hz) / cutoffHz) ** 3))
    if (strength < 1e-4) break
    const turn = n * (16_384 / TABLE_SIZE)
    for (let i = 0; i < TABLE_SIZE; i++) table[i]! += strength * SINE[(i * turn) & SINE_MASK]!
  }
  return table
}

/** 0 to 1 with a soft start and a soft landing. */
function smooth(x: number): number {
  if (x >= 1) return 1
  return x <= 0 ? 0 : x * x * (3 - 2 * x)
}

/** An electric piano: a sine that another one of its frequency bends (FM), less and less, and the short ting of the tine. */
export function electricPiano(hz: number, options: { velocity: number; seconds: number }): Float32Array {
  const { velocity, seconds } = options
  const releaseSeconds = 0.15
  const out = new Float32Array(Math.round((seconds + releaseSeconds) * SAMPLE_RATE))
  const perSample = (hz * 16_384) / SAMPLE_RATE
  const decay = 10 ** (-3 / ((5.5 - Math.min(3, hz / 250)) * SAMPLE_RATE))
  const bendDecay = 10 ** (-3 / (1.6 * SAMPLE_RATE))
  const tineDecay = 10 ** (-3 / (0.22 * SAMPLE_RATE))
  let [phase, level, bend, tine] = [0, 0.5 * velocity, 2.6 * velocity * velocity, 0.13 * velocity]
  for (let i = 0; i < out.length; i++) {
    const bent = phase + (0.4 + bend) * 2607.6 * SINE[phase & SINE_MASK]! // 2607.6 steps of the table are one radian
    out[i] = level * (SINE[bent & SINE_MASK]! + tine * SINE[(phase * 14) & SINE_MASK]!)
    phase += perSample
    level *= decay
    bend *= bendDecay
    tine *= tineDecay
  }
  for (let i = 0; i < 88; i++) out[i]! *= i / 88
  fadeEnd(out, releaseSeconds)
  return out
}

/** A round bass: a sine driven into a soft wall, hard at first. */
export function bass(hz: number, options: { velocity: number; seconds: number }): Float32Array {
  const { velocity, seconds } = options
  const out = new Float32Array(Math.round((seconds + 0.06) * SAMPLE_RATE))
  const step = (2 * Math.PI * hz) / SAMPLE_RATE
  let drive = 1.1 + 1.9 * velocity
  let level = 0.55 * velocity
  const driveDecay = Math.exp(-1 / (0.18 * SAMPLE_RATE))
  const decay = Math.exp(-1 / (1.6 * SAMPLE_RATE))
  for (let i = 0; i < out.length; i++) {
    const wave = Math.sin(step * i)
    out[i] = level * Math.tanh((0.9 + drive) * (wave + 0.18 * Math.sin(2 * step * i)))
    drive *= driveDecay
    level *= decay
  }
  for (let i = 0; i < 220; i++) out[i]! *= i / 220
  fadeEnd(out, 0.06)
  return out
}
