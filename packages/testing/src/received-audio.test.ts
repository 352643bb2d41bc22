import { expect, test } from '@jest/globals'
import { silentFrames } from '@skipcast/audio'
import { receivedAudio } from './received-audio.ts'

function frames(count: number): Buffer[] {
  const source = silentFrames({ bitrateKbps: 128, sampleRate: 48_000 }) // 24 ms each
  return Array.from({ length: count }, () => source.next())
}

test('keeps the last minute of frames and counts all of them', () => {
  const audio = receivedAudio()
  const take = audio.connection(0)
  frames(5001).forEach((frame, i) => take(frame, i))
  expect(audio.heard()).toMatchObject({ frames: 5000, silentFrames: 5000, playMs: 120_000, resyncs: 0, skippedBytes: 0 })
  expect(audio.frames).toHaveLength(2500)
  expect(audio.frames.at(-1)!.at).toBe(5000)
  expect(audio.arrivals).toHaveLength(5001)
  expect(audio.firstByteAt()).toBe(0)
})

test('does not join frames over a new connection', () => {
  const audio = receivedAudio()
  const [a, b, c] = frames(3)
  audio.connection(0)(Buffer.concat([a!, b!.subarray(0, 100)]), 1)
  audio.connection(0)(Buffer.concat([b!.subarray(100), c!, ...frames(1)]), 2)
  expect(audio.frames.map(({ at, data }) => [at, data.equals(at === 1 ? a! : c!)])).toEqual([
    [1, true],
    [2, true],
  ])
  expect(audio.heard().resyncs).toBe(0)
})

test('notes when titles came', () => {
  const audio = receivedAudio()
  const block = Buffer.alloc(33)
  block[0] = 2
  block.write("StreamTitle='A - B';", 1)
  const take = audio.connection(10)
  take(Buffer.concat([Buffer.alloc(10), block]), 7)
  take(Buffer.concat([Buffer.alloc(10), block]), 9)
  expect(audio.titles).toEqual([
    { title: 'A - B', at: 7 },
    { title: 'A - B', at: 9 },
  ])
})
