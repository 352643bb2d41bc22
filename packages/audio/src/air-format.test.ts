import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { airFormatOf, audioReader, CONTENT_TYPES, silence, type AirFormat } from './air-format.ts'
import { oggOpusWriter } from './ogg-opus.ts'
import { readOpusPacket } from './opus-packets.ts'

const FORMATS = ['mp3', 'opus', 'aac'] as const
const COUNT = 200

function silentStream(format: AirFormat, bitrateKbps: number) {
  const source = silence({ format, bitrateKbps, sampleRate: 44_100 })
  return { source, bytes: Buffer.concat([source.head, ...Array.from({ length: COUNT }, () => source.next())]) }
}

describe.each(FORMATS)('%s', (format) => {
  test('is known by its content type', () => {
    expect(airFormatOf(`${CONTENT_TYPES[format].toUpperCase()}; charset=x`)).toBe(format)
  })

  test.each([32, 128, 320])('silence of %i kbit/s has that bitrate, and is read as silence that lasts as long', (bitrateKbps) => {
    const { source, bytes } = silentStream(format, bitrateKbps)
    const kbps = ((bytes.length - source.head.length) * 8) / (COUNT * source.frameMs)
    expect(kbps).toBeGreaterThan(bitrateKbps * 0.8)
    expect(kbps).toBeLessThan(bitrateKbps * 1.4)
    const { frames, titles } = audioReader(format).push(bytes)
    expect(frames.length).toBeGreaterThanOrEqual(COUNT - 1)
    expect(frames.every((frame) => frame.silent && frame.durationMs === source.frameMs)).toBe(true)
    expect(titles).toEqual([])
  })

  test('is read the same in pieces of any size, and goes on after foreign bytes', () => {
    const { bytes } = silentStream(format, 128)
    const whole = audioReader(format).push(bytes).frames.length
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }), (sizes) => {
        const reader = audioReader(format)
        let count = 0
        for (let at = 0, i = 0; at < bytes.length; at += sizes[i++ % sizes.length]!)
          count += reader.push(bytes.subarray(at, at + sizes[i % sizes.length]!)).frames.length
        expect([count, reader.skippedBytes, reader.resyncs]).toEqual([whole, 0, 0])
      }),
      { numRuns: 30 },
    )
    const reader = audioReader(format)
    reader.push(Buffer.concat([bytes, Buffer.alloc(100), bytes]))
    expect(reader.skippedBytes).toBeGreaterThanOrEqual(100)
    expect(reader.resyncs).toBe(1)
  })

  test('random bytes do no harm', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        const reader = audioReader(format)
        reader.push(Buffer.concat([Buffer.from('OggS'), bytes]))
        reader.push(Buffer.from(bytes))
      }),
    )
  })
})

test('a chained Ogg stream tells its titles, as ICY would', () => {
  const comment = (text: string) => {
    const bytes = Buffer.alloc(4 + Buffer.byteLength(text))
    bytes.writeUInt32LE(bytes.length - 4)
    bytes.write(text, 4)
    return bytes
  }
  const tags = (...comments: string[]) => {
    const count = Buffer.alloc(4)
    count.writeUInt32LE(comments.length)
    const data = Buffer.concat([Buffer.from('OpusTags'), comment('vendor'), count, ...comments.map(comment)])
    return oggOpusWriter().page({ data, durationMs: 0 })
  }
  const long = `PICTURE=${'x'.repeat(200)}`
  const stream = Buffer.concat([
    tags(long, 'title=漢字 = A', 'ARTIST=Björk'),
    tags('TITLE=Alone'),
    tags('other=1'),
    tags('title=x').subarray(0, -1),
  ])
  expect(audioReader('opus').push(stream).titles).toEqual(['Björk - 漢字 = A', 'Alone'])
})

describe('an Opus packet', () => {
  test.each([
    ['silence as libopus writes it', [0xfc, 0xff, 0xfe], 20, true],
    ['a frame left out', [0x08], 20, true],
    ['sound', [0xfc, 0x7f, 0xfe, 1, 2, 3], 20, false],
    ['two frames of silence', [0xfd, 0xff, 0xfe, 0xff, 0xfe], 40, true],
    ['two frames, one of them silence', [0xfd, 0xff, 0xfe, 0x10, 0xfe], 40, false],
    ['speech that begins like silence', [0x08, 0xff, 0xfe, 1], 20, false],
  ])('is read: %s', (_, bytes, durationMs, silent) => {
    expect(readOpusPacket(Buffer.from(bytes))).toMatchObject({ durationMs, silent })
  })

  test('without a frame is none', () => {
    expect(readOpusPacket(Buffer.of())).toBeNull()
    expect(readOpusPacket(Buffer.of(0xff, 0))).toBeNull()
  })
})
