import { SAMPLE_RATE, type Mix } from './mix.ts'

/** Lengths without a common measure, so that no echo falls on another. In samples, for a room of size 1. */
const LINES = [1033, 1327, 1523, 1801, 2027, 2311, 2617, 2903]

/**
 * Adds the room to the mix: eight delay lines that feed each other (a Householder network), the high parts dying sooner.
 * `seconds` is how long it takes to die away to -60 dB.
 */
export function addRoom(mix: Mix, options: { seconds: number; size: number; dullness: number; gain: number }): void {
  const sizes = LINES.map((samples) => Math.round(samples * options.size))
  const lines = sizes.map((size) => new Float32Array(size))
  const losses = sizes.map((size) => 10 ** ((-3 * size) / (options.seconds * SAMPLE_RATE)))
  const positions = new Int32Array(8)
  const dulled = new Float32Array(8)
  const delayed = Math.round(0.018 * SAMPLE_RATE)
  const count = mix.left.length
  const inputs = [withoutBass(mix.roomLeft), withoutBass(mix.roomRight)]
  const outputs = [mix.left, mix.right]
  for (let i = 0; i < count; i++) {
    let total = 0
    let [left, right] = [0, 0]
    for (let k = 0; k < 8; k++) {
      const value = lines[k]![positions[k]!]!
      dulled[k] = value + options.dullness * (dulled[k]! - value)
      total += dulled[k]!
      const signed = k & 2 ? -value : value
      if (k & 1) right += signed
      else left += signed
    }
    outputs[0]![i]! += left * options.gain
    outputs[1]![i]! += right * options.gain
    for (let k = 0; k < 8; k++) {
      const fresh = i >= delayed ? inputs[k & 1]![i - delayed]! : 0
      lines[k]![positions[k]!] = losses[k]! * (dulled[k]! - total / 4) + fresh
      positions[k] = positions[k]! + 1 === sizes[k] ? 0 : positions[k]! + 1
    }
  }
}

/** Rooms of deep sounds are mud: a gentle high-pass at about 200 Hz. */
function withoutBass(input: Float32Array): Float32Array {
  let low = 0
  return input.map((sample) => {
    low += 0.028 * (sample - low)
    return sample - low
  })
}

/** Echoes of what goes to the room, from side to side, each softer and duller; they go to the room too. */
export function addEchoes(mix: Mix, options: { seconds: number; feedback: number; gain: number }): void {
  const delay = Math.round(options.seconds * SAMPLE_RATE)
  const left = new Float32Array(mix.left.length)
  const right = new Float32Array(mix.left.length)
  let [dullLeft, dullRight] = [0, 0]
  for (let i = delay; i < left.length; i++) {
    const source = (mix.roomLeft[i - delay]! + mix.roomRight[i - delay]!) * 0.5
    dullLeft += 0.45 * (source + options.feedback * right[i - delay]! - dullLeft)
    dullRight += 0.45 * (left[i - delay]! * options.feedback - dullRight)
    left[i] = dullLeft
    right[i] = dullRight
  }
  for (let i = delay; i < left.length; i++) {
    mix.left[i]! += left[i]! * options.gain
    mix.right[i]! += right[i]! * options.gain
    mix.roomLeft[i]! += left[i]! * options.gain * 0.4
    mix.roomRight[i]! += right[i]! * options.gain * 0.4
  }
}
