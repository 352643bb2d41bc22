import { SAMPLE_RATE } from './mix.ts'
import type { Random } from './random.ts'

/** One mode of a struck body: its frequency as a multiple of the note's, its strength, and how long it rings (to -60 dB). */
type Mode = readonly [ratio: number, strength: number, ringSeconds: number]

/** A small bell of a music box: close to a tuned bar, with two slightly different fundamentals that make it shimmer. */
const BELL: readonly Mode[] = [
  [1, 0.6, 2.6],
  [1.0011, 0.4, 2.9],
  [2.003, 0.28, 1.6],
  [3.01, 0.1, 1],
  [4.16, 0.13, 0.7],
  [6.27, 0.06, 0.3],
  [9.1, 0.025, 0.12],
]

/** A vibraphone: bars tuned so that the second mode is two octaves up. */
const VIBRAPHONE: readonly Mode[] = [
  [1, 0.8, 3.4],
  [1.0006, 0.2, 3],
  [4, 0.16, 0.9],
  [9.9, 0.04, 0.16],
]

/** Glass, far away: hardly an attack, long. */
const GLASS: readonly Mode[] = [
  [1, 0.55, 5.5],
  [1.0015, 0.45, 6],
  [2.001, 0.16, 3.5],
  [3.003, 0.07, 2.2],
  [5.02, 0.02, 0.9],
]

export const bell = (hz: number, velocity: number): Float32Array => ring(BELL, hz, velocity, 0.001)
export const vibraphone = (hz: number, velocity: number): Float32Array => ring(VIBRAPHONE, hz, velocity, 0.004)
export const glass = (hz: number, velocity: number): Float32Array => ring(GLASS, hz, velocity, 0.03)

/**
 * Modes that die away, each a resonator of two multiplications a sample. The harder the stroke, the stronger the upper modes; the
 * higher the note, the shorter it rings.
 */
function ring(modes: readonly Mode[], hz: number, velocity: number, attackSeconds: number): Float32Array {
  const shorter = Math.min(1.3, Math.sqrt(600 / hz))
  const longest = Math.max(...modes.map((mode) => mode[2])) * shorter
  const out = new Float32Array(Math.round(longest * SAMPLE_RATE))
  modes.forEach(([ratio, strength, ringSeconds], index) => {
    const frequency = hz * ratio
    if (frequency > 16_000) return
    const radius = 10 ** (-3 / (ringSeconds * shorter * SAMPLE_RATE))
    const step = (2 * Math.PI * frequency) / SAMPLE_RATE
    const amplitude = strength * velocity * (index < 2 ? 1 : velocity)
    const [a, b] = [2 * radius * Math.cos(step), radius * radius]
    let [before, last] = [0, amplitude * Math.sin(step)]
    const end = Math.min(out.length, Math.round(ringSeconds * shorter * SAMPLE_RATE))
    for (let i = 0; i < end; i++) {
      out[i]! += before
      const next = a * last - b * before
      before = last
      last = next
    }
  })
  const attack = Math.round(attackSeconds * SAMPLE_RATE)
  for (let i = 0; i < attack; i++) out[i]! *= i / attack
  fadeEnd(out, 0.02)
  return out
}

/**
 * A plucked string (Karplus and Strong, with Jaffe and Smith's tuning): a short noise runs round a delay line that dulls it.
 * `softness` 0 is a nail (some thirty harmonics), 1 a thumb (a few).
 */
export function pluck(
  hz: number,
  options: { velocity: number; ringSeconds: number; softness: number; random: Random },
): Float32Array {
  const { velocity, ringSeconds, softness, random } = options
  const period = SAMPLE_RATE / hz - 0.5
  const size = Math.floor(period - 0.2)
  const fraction = period - size
  const line = excitation(size, hz * (2 + 2 * velocity + 28 * (1 - softness) ** 1.5), random)
  const tuning = (1 - fraction) / (1 + fraction)
  const loss = 10 ** ((-3 * period) / (ringSeconds * SAMPLE_RATE))
  const out = new Float32Array(Math.round(ringSeconds * 0.8 * SAMPLE_RATE))
  let [at, lastDull, lastIn, lastOut] = [0, 0, 0, 0]
  for (let i = 0; i < out.length; i++) {
    const sample = line[at]!
    const dull = loss * 0.5 * (sample + lastDull)
    lastDull = sample
    lastOut = tuning * (dull - lastOut) + lastIn
    lastIn = dull
    line[at] = lastOut
    at = at + 1 === size ? 0 : at + 1
    out[i] = sample * velocity
  }
  const attack = Math.round((0.0005 + 0.0025 * softness) * SAMPLE_RATE)
  for (let i = 0; i < attack; i++) out[i]! *= i / attack
  fadeEnd(out, 0.05)
  return out
}

/** Noise of one period, dull above `cutoffHz`, plucked at a fifth of the string (which takes every fifth harmonic out), always equally strong. */
function excitation(size: number, cutoffHz: number, random: Random): Float32Array {
  const noise = new Float32Array(size)
  const speed = 1 - Math.exp((-2 * Math.PI * Math.min(cutoffHz, 9000)) / SAMPLE_RATE)
  let low = 0
  for (let turn = 0; turn < 2; turn++) {
    for (let i = 0; i < size; i++) {
      if (turn === 0) noise[i] = random() * 2 - 1
      low += speed * (noise[i]! - low)
      noise[i] = low
    }
  }
  const picked = noise.map((value, i) => value - noise[(i + size - Math.round(size / 5)) % size]!)
  const mean = picked.reduce((sum, value) => sum + value, 0) / size
  const loudness = Math.sqrt(picked.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size)
  return picked.map((value) => ((value - mean) / loudness) * 0.3)
}

/** Lets the last moments go to zero, so that nothing clicks. */
export function fadeEnd(sound: Float32Array, seconds: number): void {
  const count = Math.min(sound.length, Math.round(seconds * SAMPLE_RATE))
  for (let i = 0; i < count; i++) sound[sound.length - 1 - i]! *= i / count
}
