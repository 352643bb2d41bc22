import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { waveformDrawing } from './waveform.ts'

const bytesOf = (samples: readonly number[]) => {
  const bytes = Buffer.alloc(2 * samples.length)
  for (const [index, sample] of samples.entries()) bytes.writeInt16LE(sample, 2 * index)
  return bytes
}

test('the highest and the lowest sample are in the drawing, wherever the chunks are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -32_768, max: 32_767 }), { minLength: 1, maxLength: 5000 }),
      fc.nat(9999),
      (samples, cut) => {
        const drawing = waveformDrawing(8000)
        const bytes = bytesOf(samples)
        drawing.take(bytes.subarray(0, cut))
        drawing.take(bytes.subarray(cut))
        const { data, length, samples_per_pixel } = drawing.finish()
        expect(length).toBe(Math.ceil(samples.length / samples_per_pixel))
        expect(Math.min(...data)).toBe(Math.min(...samples) >> 8)
        expect(Math.max(...data)).toBe(Math.max(...samples) >> 8)
      },
    ),
  )
})

test('however long a piece is, it has from 1000 to 2000 points', () => {
  const drawing = waveformDrawing(8000)
  const chunk = Buffer.alloc(64_000)
  for (let second = 0; second < 500; second++) drawing.take(chunk)
  const { length, data } = drawing.finish()
  expect(data).toHaveLength(2 * length)
  expect(length).toBeGreaterThanOrEqual(1000)
  expect(length).toBeLessThanOrEqual(2000)
})
