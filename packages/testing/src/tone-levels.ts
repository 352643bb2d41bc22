/** How loud each of some tones is, window after window: shows how one fades while another rises. */
export interface ToneLevels {
  /** Of the window, from the beginning of the samples. */
  readonly atMs: number
  /** In dBFS, in the order of the tones that were asked for; 0 is a sine of full scale. */
  readonly levelsDbfs: readonly number[]
}

// Looked up once: in jest's context each look at a global takes 0.5 µs, and the loops below have millions.
const { PI, cos, floor, hypot, log10, max, round, sin } = Math
/** Measures tones in samples of -1 to 1, by correlation under a Hann window: what sounds more than 4 windows⁻¹ beside a tone does not count. */
export function toneLevels(
  samples: Float32Array,
  options: { sampleRate: number; frequenciesHz: readonly number[]; windowMs: number },
): ToneLevels[] {
  const { sampleRate, frequenciesHz, windowMs } = options
  const size = round((sampleRate * windowMs) / 1000)
  return Array.from({ length: floor(samples.length / size) }, (_, index) => {
    const window = samples.subarray(index * size, (index + 1) * size)
    return { atMs: index * windowMs, levelsDbfs: frequenciesHz.map((hz) => levelOf(window, (2 * PI * hz) / sampleRate)) }
  })
}

function levelOf(window: Float32Array, step: number): number {
  let re = 0
  let im = 0
  for (let i = 0; i < window.length; i++) {
    const value = window[i]! * (0.5 - 0.5 * cos((2 * PI * i) / window.length))
    re += value * cos(step * i)
    im += value * sin(step * i)
  }
  return 20 * log10(max((4 * hypot(re, im)) / window.length, 1e-9))
}
