import { describe, expect, test } from '@jest/globals'
import { assert, integer, property } from 'fast-check'
import { aTrack } from '../../test/streams.ts'
import { overlapMs, positionAt } from './position.ts'

const tracks = [
  aTrack('one', { duration_ms: 10_000 }),
  aTrack('two', { duration_ms: 5000 }),
  aTrack('three', { duration_ms: 20_000 }),
]
const copied = { mode: 'copy', tracks } as const
const from = (media_id: string) => ({ media_id, sent_at: 1_000_000 })

describe('where a stream is by now', () => {
  test('is within the track that was sent, and then within those that follow it, round and round', () => {
    expect(positionAt(1_004_000, copied, from('one'))).toEqual({ index: 0, offsetMs: 4000, endsAt: 1_010_000 })
    expect(positionAt(1_010_000, copied, from('one'))).toEqual({ index: 1, offsetMs: 0, endsAt: 1_015_000 })
    expect(positionAt(1_022_000, copied, from('three'))).toEqual({ index: 0, offsetMs: 2000, endsAt: 1_030_000 })
    expect(positionAt(1_000_000 + 7 * 35_000 + 1, copied, from('two'))).toMatchObject({ index: 1, offsetMs: 1 })
  })

  test('has just begun by a clock that is behind', () => {
    expect(positionAt(999_000, copied, from('two'))).toEqual({ index: 1, offsetMs: 0, endsAt: 1_004_000 })
  })

  test('can not be told of a track that is gone, nor of tracks without a length', () => {
    expect(positionAt(1_001_000, copied, from('gone'))).toBeNull()
    expect(positionAt(1_001_000, { mode: 'copy', tracks: [aTrack('one', { duration_ms: 0 })] }, from('one'))).toBeNull()
    expect(positionAt(1_001_000, { mode: 'copy', tracks: [] }, from('one'))).toBeNull()
  })

  test('heeds cue points and overlaps where these are heard, which is not in what is copied', () => {
    const cued = [aTrack('one', { duration_ms: 10_000, cue_in_ms: 1000, cue_out_ms: 8000 }), aTrack('two', { duration_ms: 3000 })]
    expect(positionAt(1_008_000, { mode: 'encode', tracks: cued }, from('one'))).toMatchObject({ index: 1, offsetMs: 1000 })
    expect(positionAt(1_008_000, { mode: 'copy', tracks: cued }, from('one'))).toMatchObject({ index: 0, offsetMs: 8000 })
    const mixed = { mode: 'encode', crossfade_ms: 2000, tracks: cued } as const
    expect(positionAt(1_005_000, mixed, from('one'))).toMatchObject({ index: 1, offsetMs: 0, endsAt: 1_006_500 })
    expect(overlapMs(cued[1]!, 2000)).toBe(1500)
  })

  test('is the same however often it was told on the way', () => {
    const ms = integer({ min: 0, max: 200_000 })
    assert(
      property(ms, ms, (first, more) => {
        const before = positionAt(1_000_000 + first, copied, from('one'))!
        const told = { media_id: tracks[before.index]!.media_id, sent_at: 1_000_000 + first - before.offsetMs }
        const at = 1_000_000 + first + more
        expect(positionAt(at, copied, told)).toEqual(positionAt(at, copied, from('one')))
      }),
    )
  })
})
