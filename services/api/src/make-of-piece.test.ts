import { expect, test } from '@jest/globals'
import type { MediaFormat } from '@skipcast/contracts'
import type { Media, NewMedia } from '@skipcast/db'
import { derivePiece } from './make-of-piece.ts'

const HOUR_MS = 3_600_000

/** How much counts for a piece that is made of an hour with a file of 8 MB. */
async function reserved(codec: string, format?: MediaFormat, channelCount = 2): Promise<number> {
  const source = {
    state: 'ready',
    fileSha256: 'a'.repeat(64),
    fileSizeBytes: 8e6,
    durationMs: HOUR_MS,
    sampleRate: 44_100,
    channelCount,
    codec,
  }
  const records: NewMedia[] = []
  const stores = { media: { add: async (record: NewMedia) => void records.push(record) } }
  await derivePiece({ stores, jobs: {}, settings: {} } as never, source as Media, { ...(format && { format }), fromMs: 0 })
  return records[0]!.fileSizeBytes!
}

test('a cut that must be encoded again counts as much as it may take, however small the file was', async () => {
  const [lossy, lossless] = [3600 * 40_000, 3600 * 8 * 44_100]
  for (const codec of ['mp3', 'aac', 'opus', 'vorbis']) expect([codec, await reserved(codec)]).toEqual([codec, lossy])
  for (const codec of ['amr_nb', 'wmav2', 'pcm_mulaw', '']) expect([codec, await reserved(codec)]).toEqual([codec, lossless])
  for (const codec of ['flac', 'pcm_s16le']) expect([codec, await reserved(codec)]).toEqual([codec, 8e6])
  expect(await reserved('amr_nb', undefined, 6)).toBe(3 * lossless)
  expect([await reserved('flac', 'mp3'), await reserved('mp3', 'wav')]).toEqual([lossy, lossless])
})
