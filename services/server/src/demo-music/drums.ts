import { SAMPLE_RATE } from './mix.ts'
import type { Random } from './random.ts'

/** The sounds of a small drum kit, each made once and struck often. */
export interface DrumKit {
  readonly kick: Float32Array
  readonly snare: Float32Array
  readonly rim: Float32Array
  readonly hat: Float32Array
  readonly openHat: Float32Array
  readonly shaker: Float32Array
}

export function drumKit(random: Random): DrumKit {
  return {
    kick: kick(),
    snare: snare(random),
    rim: sound(0.09, (t) => decay(t, 0.012) * (Math.sin(2 * Math.PI * 1710 * t) + 0.7 * Math.sin(2 * Math.PI * 2420 * t)) * 0.4),
    hat: highNoise(0.12, random, (t) => decay(t, 0.022)),
    openHat: highNoise(0.5, random, (t) => decay(t, 0.11)),
    shaker: highNoise(0.12, random, (t) => Math.min(1, t / 0.02) * decay(t, 0.03) * 0.8),
  }
}

/** A sine that falls from 150 Hz to 48 Hz, with a click. */
function kick(): Float32Array {
  let phase = 0
  return sound(0.5, (t) => {
    phase += (2 * Math.PI * (48 + 102 * decay(t, 0.032))) / SAMPLE_RATE
    return decay(t, 0.14) * Math.tanh(1.6 * Math.sin(phase)) + 0.12 * decay(t, 0.0025)
  })
}

function snare(random: Random): Float32Array {
  const wires = bandNoise(0.3, random, (t) => decay(t, 0.06))
  return sound(0.3, (t) => {
    const skin = decay(t, 0.045) * (0.5 * Math.sin(2 * Math.PI * 186 * t) + 0.25 * Math.sin(2 * Math.PI * 331 * t))
    return skin + 0.9 * wires[Math.round(t * SAMPLE_RATE)]!
  })
}

/** Noise above about 6 kHz: the difference between noise and its slow part, twice. */
function highNoise(seconds: number, random: Random, shape: (t: number) => number): Float32Array {
  let [first, second] = [0, 0]
  return sound(seconds, (t) => {
    const noise = random() * 2 - 1
    first += 0.55 * (noise - first)
    const high = noise - first
    second += 0.55 * (high - second)
    return (high - second) * shape(t)
  })
}

/** Noise between about 700 Hz and 6 kHz. */
function bandNoise(seconds: number, random: Random, shape: (t: number) => number): Float32Array {
  let [low, slow] = [0, 0]
  return sound(seconds, (t) => {
    low += 0.55 * (random() * 2 - 1 - low)
    slow += 0.1 * (low - slow)
    return (low - slow) * shape(t)
  })
}

/** Samples of a function of time, without a click at the end. */
function sound(seconds: number, at: (t: number) => number): Float32Array {
  const count = Math.round(seconds * SAMPLE_RATE)
  return Float32Array.from({ length: count }, (_, i) => at(i / SAMPLE_RATE) * Math.min(1, (count - i) / 400))
}

function decay(t: number, seconds: number): number {
  return Math.exp(-t / seconds)
}
