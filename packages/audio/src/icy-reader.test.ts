import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { icyReader } from './icy-reader.ts'

/** What Icecast sends: after each `metaint` bytes of audio a block with the next title, or an empty one. */
function icyStream(metaint: number, blocks: readonly (string | null)[]): { bytes: Buffer; audio: Buffer } {
  const audio = Buffer.from(Array.from({ length: metaint * blocks.length }, (_, i) => (i * 7) % 256))
  const parts = blocks.flatMap((text, i) => [audio.subarray(i * metaint, (i + 1) * metaint), metaBlock(text)])
  return { bytes: Buffer.concat(parts), audio }
}

function metaBlock(text: string | null): Buffer {
  const content = Buffer.from(text ?? '')
  const units = Math.ceil(content.length / 16)
  return Buffer.concat([Buffer.from([units]), content, Buffer.alloc(units * 16 - content.length)])
}

function read(bytes: Buffer, metaint: number, sizes: readonly number[] = [bytes.length]) {
  const reader = icyReader(metaint)
  const audio: Buffer[] = []
  const titles: string[] = []
  for (let at = 0, i = 0; at < bytes.length; at += sizes[i % sizes.length]!, i++) {
    const part = reader.push(bytes.subarray(at, at + sizes[i % sizes.length]!))
    audio.push(part.audio)
    titles.push(...part.titles)
  }
  return { audio: Buffer.concat(audio), titles }
}

const title = fc
  .string({ unit: 'grapheme', maxLength: 60 })
  .filter((text) => !text.includes('\0') && !text.includes("';"))
  .filter((text) => Buffer.byteLength(text) < 4000)

describe('icyReader', () => {
  test('parts audio and titles wherever the bytes are split', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.array(fc.option(title), { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 10 }),
        (metaint, titles, sizes) => {
          const stream = icyStream(
            metaint,
            titles.map((text) => (text === null ? null : `StreamTitle='${text}';`)),
          )
          expect(read(stream.bytes, metaint, sizes)).toEqual({
            audio: stream.audio,
            titles: titles.filter((text) => text !== null),
          })
        },
      ),
    )
  })

  test.each([
    ['plain', "StreamTitle='Artist - Song';", 'Artist - Song'],
    ['with quotes', "StreamTitle='Don't Stop 'Til You Get Enough';", "Don't Stop 'Til You Get Enough"],
    ['with the end mark inside', "StreamTitle='a';b';", "a';b"],
    ['beside a URL', "StreamTitle='it's';StreamUrl='http://example.org/';", "it's"],
    ['in UTF-8', "StreamTitle='Björk – Jóga 🎧';", 'Björk – Jóga 🎧'],
    ['empty', "StreamTitle='';", ''],
    ['that fills its block to the last byte', `StreamTitle='${'x'.repeat(17)}';`, 'x'.repeat(17)],
  ])('reads a title %s', (_, block, expected) => {
    expect(read(icyStream(32, [block]).bytes, 32, [1]).titles).toEqual([expected])
  })

  test('ignores a block without a title', () => {
    expect(read(icyStream(32, ["StreamUrl='http://example.org/';", 'nonsense', null]).bytes, 32).titles).toEqual([])
  })

  test('takes everything for audio when metaint is 0', () => {
    const bytes = Buffer.from("\x02StreamTitle='no';")
    expect(read(bytes, 0)).toEqual({ audio: bytes, titles: [] })
  })
})
