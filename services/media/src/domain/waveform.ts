/** A drawing of a piece, in the JSON format of audiowaveform (version 2): pairs of the least and the most sample, in 8 bits. */
export interface Waveform {
  readonly version: 2
  readonly channels: 1
  readonly sample_rate: number
  readonly samples_per_pixel: number
  readonly bits: 8
  /** Pairs in `data`. */
  readonly length: number
  readonly data: readonly number[]
}

/** A drawing has from half as many to so many points, however long the piece is. */
const MOST_POINTS = 2000
const FIRST_SAMPLES_PER_POINT = 64

/**
 * Draws samples as they come (16 bits, little endian, mono), in a memory that does not grow: when there are too many points, two become one.
 */
export function waveformDrawing(sampleRate: number): { take(chunk: Buffer): void; finish(): Waveform } {
  const least = new Int16Array(MOST_POINTS)
  const most = new Int16Array(MOST_POINTS)
  let perPoint = FIRST_SAMPLES_PER_POINT
  let points = 0
  let inPoint = 0
  let low = 0
  let high = 0
  let half: number | null = null

  const endPoint = () => {
    least[points] = low
    most[points] = high
    points += 1
    inPoint = low = high = 0
    if (points === MOST_POINTS) halve()
  }
  const halve = () => {
    points /= 2
    for (let point = 0; point < points; point++) {
      least[point] = Math.min(least[2 * point]!, least[2 * point + 1]!)
      most[point] = Math.max(most[2 * point]!, most[2 * point + 1]!)
    }
    perPoint *= 2
  }
  const takeSample = (sample: number) => {
    if (inPoint === 0) low = high = sample
    else if (sample < low) low = sample
    else if (sample > high) high = sample
    if (++inPoint === perPoint) endPoint()
  }

  return {
    take(chunk) {
      let at = 0
      if (half !== null && chunk.length > 0) {
        takeSample((((chunk[0]! << 8) | half) << 16) >> 16)
        half = null
        at = 1
      }
      for (; at + 1 < chunk.length; at += 2) takeSample(chunk.readInt16LE(at))
      if (at < chunk.length) half = chunk[at]!
    },
    finish() {
      if (inPoint > 0) endPoint()
      const data: number[] = []
      for (let point = 0; point < points; point++) data.push(least[point]! >> 8, most[point]! >> 8)
      return { version: 2, channels: 1, sample_rate: sampleRate, samples_per_pixel: perPoint, bits: 8, length: points, data }
    },
  }
}
