import { loudness } from './loudness.ts'
import { SAMPLE_RATE, type Mix } from './mix.ts'
import type { Random } from './random.ts'

const TARGET_LUFS = -16
/** -1.5 dBFS: an MP3 made of it may overshoot a little. */
const CEILING = 0.84
const BLOCK = 64

/** Makes a mix fit to be heard: fades, -16 LUFS, no peak above -1.5 dBFS, 16 bits with dither, left and right interleaved. */
export function master(mix: Mix, options: { fadeInSeconds: number; fadeOutSeconds: number; random: Random }): Int16Array {
  const { left, right } = mix
  for (const channel of [left, right]) removeRumble(channel)
  fade(left, right, options.fadeInSeconds, options.fadeOutSeconds)
  // The limiter takes some loudness away, so the second round is the one that hits.
  for (let round = 0; round < 2; round++) {
    scale(left, right, 10 ** ((TARGET_LUFS - loudness(left, right)) / 20))
    limit(left, right)
  }
  return toInt16(left, right, options.random)
}

/** A high-pass at 25 Hz: nothing to hear down there, only room taken from the rest. */
function removeRumble(samples: Float32Array): void {
  let [lastIn, lastOut] = [0, 0]
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i]!
    lastOut = sample - lastIn + 0.99644 * lastOut
    lastIn = sample
    samples[i] = lastOut
  }
}

function fade(left: Float32Array, right: Float32Array, inSeconds: number, outSeconds: number): void {
  const [fadeIn, fadeOut] = [inSeconds * SAMPLE_RATE, outSeconds * SAMPLE_RATE]
  const count = left.length
  for (let i = 0; i < count; i++) {
    const gain = Math.min(1, i / fadeIn) * Math.min(1, (count - 1 - i) / fadeOut) ** 2
    left[i]! *= gain
    right[i]! *= gain
  }
}

function scale(left: Float32Array, right: Float32Array, gain: number): void {
  for (let i = 0; i < left.length; i++) {
    left[i]! *= gain
    right[i]! *= gain
  }
}

/** A limiter that sees what comes: the gain goes down over a few ms before a peak, and up slowly after it. */
function limit(left: Float32Array, right: Float32Array): void {
  const blocks = Math.ceil(left.length / BLOCK) + 1
  const gains = new Float32Array(blocks).fill(1)
  for (let i = 0; i < left.length; i++) {
    const needed = CEILING / Math.max(Math.abs(left[i]!), Math.abs(right[i]!), CEILING)
    const block = Math.floor(i / BLOCK)
    // Gains stand at the blocks' borders and are drawn out between them, so both borders must be low enough.
    if (needed < gains[block]!) gains[block] = needed
    if (needed < gains[block + 1]!) gains[block + 1] = needed
  }
  for (let k = 1; k < blocks; k++) gains[k] = Math.min(gains[k]!, gains[k - 1]! + 0.003)
  for (let k = blocks - 2; k >= 0; k--) gains[k] = Math.min(gains[k]!, gains[k + 1]! + 0.08)
  for (let i = 0; i < left.length; i++) {
    const block = Math.floor(i / BLOCK)
    const gain = gains[block]! + ((i % BLOCK) / BLOCK) * (gains[block + 1]! - gains[block]!)
    left[i]! *= gain
    right[i]! *= gain
  }
}

/** Each channel's dither is the difference of two random numbers in a row: triangular, and weakest where ears are sharpest. */
function toInt16(left: Float32Array, right: Float32Array, random: Random): Int16Array {
  const out = new Int16Array(left.length * 2)
  for (const [side, samples] of [left, right].entries()) {
    let last = random()
    for (let i = 0; i < samples.length; i++) {
      const fresh = random()
      out[2 * i + side] = Math.round(samples[i]! * 32_767 + fresh - last)
      last = fresh
    }
  }
  return out
}
