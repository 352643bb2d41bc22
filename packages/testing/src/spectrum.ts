/** The strongest tone in a piece of audio. */
export interface Tone {
  /** Null where nothing is louder than -60 dBFS: silence. */
  readonly frequencyHz: number | null
  /** 0 dBFS is a sine of full scale. */
  readonly levelDbfs: number
  /** The tone's part of all the energy, 0 to 1: near 1 for one clear tone, low in a mix or in noise. */
  readonly share: number
}

// Looked up once: in jest's context each look at a global takes 0.5 µs, and the loops below have millions.
const { PI, ceil, cos, exp, log, log10, log2, max, min, sin } = Math
export const SILENCE: Tone = { frequencyHz: null, levelDbfs: -Infinity, share: 0 }
const SILENCE_DBFS = -60
/** Half the width of a Hann window's main lobe, in bins of the unpadded length. */
const LOBE_BINS = 2

/** Finds the strongest tone in samples of -1 to 1: a Hann window, an FFT, a parabola through the peak. */
export function strongestTone(samples: Float32Array, sampleRate: number): Tone {
  const count = samples.length
  if (count < 4) return SILENCE
  const size = 2 ** ceil(log2(count) + 1)
  const re = new Float64Array(size)
  const im = new Float64Array(size)
  for (let i = 0; i < count; i++) re[i] = samples[i]! * (0.5 - 0.5 * cos((2 * PI * i) / count))
  fft(re, im)
  const power = Float64Array.from({ length: size / 2 }, (_, i) => re[i]! ** 2 + im[i]! ** 2)
  const lobe = ceil((LOBE_BINS * size) / count)
  const peak = indexOfMax(power, lobe)
  const { offset, height } = parabola(power[peak - 1]!, power[peak]!, power[peak + 1]!)
  const levelDbfs = 10 * log10(height) - 20 * log10(count / 4) // a Hann window halves the amplitude; so does the mirror image
  if (!(levelDbfs > SILENCE_DBFS)) return { ...SILENCE, levelDbfs }
  const share = sum(power, peak - lobe, peak + lobe) / sum(power, 0, power.length - 1)
  return { frequencyHz: ((peak + offset) * sampleRate) / size, levelDbfs, share }
}

/** In place, radix 2. */
function fft(re: Float64Array, im: Float64Array): void {
  const size = re.length
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i < j) {
      ;[re[i], re[j]] = [re[j]!, re[i]!]
      ;[im[i], im[j]] = [im[j]!, im[i]!]
    }
  }
  for (let length = 2; length <= size; length *= 2) {
    const half = length / 2
    for (let k = 0; k < half; k++) {
      const turnRe = cos((-2 * PI * k) / length)
      const turnIm = sin((-2 * PI * k) / length)
      for (let a = k; a < size; a += length) {
        const b = a + half
        const x = re[b]! * turnRe - im[b]! * turnIm
        const y = re[b]! * turnIm + im[b]! * turnRe
        re[b] = re[a]! - x
        im[b] = im[a]! - y
        re[a]! += x
        im[a]! += y
      }
    }
  }
}

function indexOfMax(values: Float64Array, from: number): number {
  let best = from
  for (let i = from; i < values.length - 1; i++) if (values[i]! > values[best]!) best = i
  return best
}

/** The top of the parabola through three neighbours in decibels: where it is, in bins from the middle one, and its power. */
function parabola(left: number, middle: number, right: number): { offset: number; height: number } {
  const [a, b, c] = [left, middle, right].map((value) => log(max(value, 1e-30))) as [number, number, number]
  const bend = a - 2 * b + c
  const offset = bend === 0 ? 0 : (a - c) / (2 * bend)
  return { offset, height: exp(b - ((a - c) * offset) / 4) }
}

function sum(values: Float64Array, from: number, to: number): number {
  let total = 0
  for (let i = max(0, from); i <= min(to, values.length - 1); i++) total += values[i]!
  return total
}
