import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { mp3FrameReader, silentFrames } from './mp3-frames.ts'

const bitrateKbps = fc.constantFrom(32, 64, 128, 192, 320)
const sampleRate = fc.constantFrom(32_000, 44_100, 48_000)
const format = fc.record({ bitrateKbps, sampleRate })
const anyBytes = fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes))

function frames(count: number, of = { bitrateKbps: 128, sampleRate: 44_100 }): Buffer[] {
  const source = silentFrames(of)
  return Array.from({ length: count }, () => source.next())
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

describe('silentFrames', () => {
  test('spends exactly the bitrate, however long it runs', () => {
    fc.assert(
      fc.property(format, fc.integer({ min: 1, max: 2000 }), (wanted, count) => {
        const bytes = Buffer.concat(frames(count, wanted)).length
        const exact = (count * 144_000 * wanted.bitrateKbps) / wanted.sampleRate
        expect(exact - bytes).toBeGreaterThanOrEqual(0)
        expect(exact - bytes).toBeLessThan(1)
      }),
      { numRuns: 50 },
    )
  })

  test('tells how long a frame plays', () => {
    expect(silentFrames({ bitrateKbps: 128, sampleRate: 48_000 }).frameMs).toBe(24)
    expect(silentFrames({ bitrateKbps: 128, sampleRate: 44_100 }).frameMs).toBeCloseTo(26.122, 3)
  })

  test.each([
    { bitrateKbps: 0, sampleRate: 44_100 },
    { bitrateKbps: 8, sampleRate: 44_100 },
    { bitrateKbps: 128, sampleRate: 22_050 },
  ])('refuses what MPEG-1 layer III does not have: $bitrateKbps kbit/s at $sampleRate Hz', (wanted) => {
    expect(() => silentFrames(wanted)).toThrow(RangeError)
  })
})

describe('mp3FrameReader', () => {
  test('gives the same frames however the bytes are cut', () => {
    fc.assert(
      fc.property(format, fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 20 }), (wanted, sizes) => {
        const sent = frames(12, wanted)
        const reader = mp3FrameReader()
        const read = cut(Buffer.concat(sent), sizes).flatMap((piece) => reader.push(piece))
        expect(read.map((frame) => frame.data)).toEqual(sent.slice(0, -1))
        expect(read.every((frame) => frame.silent && frame.channels === 2)).toBe(true)
        expect(read.every((frame) => frame.sampleRate === wanted.sampleRate && frame.bitrateKbps === wanted.bitrateKbps)).toBe(
          true,
        )
        expect([reader.skippedBytes, reader.resyncs]).toEqual([0, 0])
      }),
    )
  })

  test('gives the same frames, skips and resyncs for damaged bytes, however these are cut', () => {
    fc.assert(
      fc.property(
        anyBytes,
        anyBytes,
        fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 20 }),
        (head, middle, sizes) => {
          const damaged = Buffer.concat([head, ...frames(4), middle, ...frames(4)])
          const whole = mp3FrameReader()
          const pieces = mp3FrameReader()
          const expected = whole.push(damaged)
          expect(cut(damaged, sizes).flatMap((piece) => pieces.push(piece))).toEqual(expected)
          expect([pieces.skippedBytes, pieces.resyncs]).toEqual([whole.skippedBytes, whole.resyncs])
        },
      ),
    )
  })

  test('drops the frame that was cut by a switch, and counts one resync', () => {
    const [a, b, c, d, e] = frames(5)
    const reader = mp3FrameReader()
    const read = reader.push(Buffer.concat([a!, b!.subarray(0, 200), c!, d!, e!]))
    expect(read.map((frame) => frame.data)).toEqual([a, c, d])
    expect([reader.skippedBytes, reader.resyncs]).toEqual([200, 1])
  })

  test('counts no resync for joining in the middle of a frame', () => {
    const reader = mp3FrameReader()
    expect(reader.push(Buffer.concat(frames(5)).subarray(100))).toHaveLength(3)
    expect(reader.skippedBytes).toBeGreaterThan(0)
    expect(reader.resyncs).toBe(0)
  })

  test('finds nothing in bytes without a header', () => {
    const reader = mp3FrameReader()
    expect(reader.push(Buffer.alloc(10_000, 0xff))).toEqual([])
    expect(reader.push(Buffer.from('<html>404</html>'.repeat(100)))).toEqual([])
    expect(reader.resyncs).toBe(0)
  })
})
