import { SAMPLE_RATE } from './mix.ts'

/** Integrated loudness in LUFS after ITU-R BS.1770-4: K-weighting, blocks of 400 ms, an absolute and a relative gate. */
export function loudness(left: Float32Array, right: Float32Array): number {
  const hop = SAMPLE_RATE / 10
  const steps = new Float64Array(Math.floor(left.length / hop))
  for (const channel of [left, right]) addWeightedEnergy(channel, hop, steps)
  const blocks = Array.from({ length: Math.max(0, steps.length - 3) }, (_, i) => {
    return (steps[i]! + steps[i + 1]! + steps[i + 2]! + steps[i + 3]!) / (4 * hop)
  })
  const loud = blocks.filter((energy) => inLufs(energy) > -70)
  const gate = inLufs(mean(loud)) - 10
  return inLufs(mean(loud.filter((energy) => inLufs(energy) > gate)))
}

/** The K-weighting: a shelf for the head, then a high-pass (the standard's filters, worked out for our sample rate). */
function addWeightedEnergy(samples: Float32Array, hop: number, steps: Float64Array): void {
  const [b0, b1, b2, a1, a2] = shelf()
  const [h1, h2] = highPass()
  let [x1, x2, y1, y2, z1, z2] = [0, 0, 0, 0, 0, 0]
  for (let step = 0, i = 0; step < steps.length; step++) {
    let energy = 0
    for (const end = (step + 1) * hop; i < end; i++) {
      const x = samples[i]!
      const y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
      const z = y - 2 * y1 + y2 - h1 * z1 - h2 * z2
      x2 = x1
      x1 = x
      y2 = y1
      y1 = y
      z2 = z1
      z1 = z
      energy += z * z
    }
    steps[step]! += energy
  }
}

function shelf(): [number, number, number, number, number] {
  const k = Math.tan((Math.PI * 1681.974450955533) / SAMPLE_RATE)
  const q = 0.7071752369554196
  const high = 10 ** (3.999843853973347 / 20)
  const band = high ** 0.4996667741545416
  const a0 = 1 + k / q + k * k
  return [
    (high + (band * k) / q + k * k) / a0,
    (2 * (k * k - high)) / a0,
    (high - (band * k) / q + k * k) / a0,
    (2 * (k * k - 1)) / a0,
    (1 - k / q + k * k) / a0,
  ]
}

function highPass(): [number, number] {
  const k = Math.tan((Math.PI * 38.13547087602444) / SAMPLE_RATE)
  const q = 0.5003270373238773
  const a0 = 1 + k / q + k * k
  return [(2 * (k * k - 1)) / a0, (1 - k / q + k * k) / a0]
}

const inLufs = (energy: number): number => -0.691 + 10 * Math.log10(energy)
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
