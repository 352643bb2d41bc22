import { describe, expect, test } from '@jest/globals'
import { aStart, aTrack } from '../../test/streams.ts'
import { mixOf } from './hub-command.ts'

const mixed = (track: object, command: object = {}) =>
  mixOf(aTrack('one', { duration_ms: 10_000, ...track }), aStart('a', { mode: 'encode', ...command }))

describe('how a track is mixed', () => {
  test('is as it is, to its end, where nothing is said', () => {
    expect(mixed({})).toEqual({ gain: 0, cue_in: 0, cue_out: 86_400, crossfade: 0 })
  })

  test('is what the command says, in seconds', () => {
    const track = { gain_db: -3.5, cue_in_ms: 1200, cue_out_ms: 9300 }
    expect(mixed(track, { crossfade_ms: 3000 })).toEqual({ gain: -3.5, cue_in: 1.2, cue_out: 9.3, crossfade: 3 })
  })

  test('overlaps for half of what is heard of it at most', () => {
    expect(mixed({}, { crossfade_ms: 15_000 }).crossfade).toBe(5)
    expect(mixed({ cue_in_ms: 4000, cue_out_ms: 6000 }, { crossfade_ms: 3000 }).crossfade).toBe(1)
    expect(mixed({ cue_in_ms: 10_000 }, { crossfade_ms: 3000 }).crossfade).toBe(0)
  })
})
