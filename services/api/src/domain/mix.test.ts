import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { gainFor, mixedTracks, problemsOf } from './mix.ts'

const piece = {
  media_id: 'm',
  sha256: 'a'.repeat(64),
  size_bytes: 1,
  duration_ms: 10_000,
  title: 't',
  artist: 'a',
  loudness_lufs: -12,
  peak_dbfs: -3,
  cue_in_ms: 200,
  cue_out_ms: null,
}
const encode = { mode: 'encode', format: 'mp3', bitrateKbps: 128, crossfadeMs: 0, loudnessLufs: null } as const

describe('a mix', () => {
  test('says nothing in mode copy, and only what differs in mode encode', () => {
    const { loudness_lufs: _l, peak_dbfs: _p, cue_in_ms: _i, cue_out_ms: _o, ...plain } = piece
    expect(mixedTracks({ ...encode, mode: 'copy' }, [piece])).toEqual([plain])
    expect(mixedTracks(encode, [piece, { ...piece, cue_in_ms: 0, cue_out_ms: 9000 }])).toEqual([
      { ...plain, cue_in_ms: 200 },
      { ...plain, cue_out_ms: 9000 },
    ])
    expect(mixedTracks({ ...encode, loudnessLufs: -16 }, [piece])).toEqual([{ ...plain, cue_in_ms: 200, gain_db: -3.1 }])
  })

  test('brings what is loud down, and what is soft up as far as its peak allows', () => {
    expect(gainFor(-16, { loudness_lufs: -10, peak_dbfs: 0 })).toBe(-5.1)
    expect(gainFor(-16, { loudness_lufs: -20, peak_dbfs: -20 })).toBe(4.9)
    expect(gainFor(-16, { loudness_lufs: -20, peak_dbfs: -3 })).toBe(2.9)
    expect(gainFor(-16, { loudness_lufs: -20, peak_dbfs: 0 })).toBe(0)
    expect(gainFor(-16, { loudness_lufs: null, peak_dbfs: null })).toBe(0)
  })

  test('never asks for a gain that the command can not carry', () => {
    const level = fc.option(fc.double({ min: -70, max: 10, noNaN: true }))
    fc.assert(
      fc.property(fc.double({ min: -40, max: -5, noNaN: true }), level, level, (target, loudness_lufs, peak_dbfs) => {
        const gain = gainFor(target, { loudness_lufs, peak_dbfs })
        expect(gain).toBeGreaterThanOrEqual(-60)
        expect(gain).toBeLessThanOrEqual(30)
        expect(Object.is(gain, -0)).toBe(false)
      }),
    )
  })

  test('is refused in mode copy, with each field that needs more', () => {
    expect(problemsOf(encode, 192)).toEqual([])
    expect(problemsOf({ ...encode, mode: 'copy' }, 128)).toEqual([])
    const problems = problemsOf({ mode: 'copy', format: 'opus', bitrateKbps: 192, crossfadeMs: 1, loudnessLufs: -16 }, 128)
    expect(problems.map((problem) => problem.split(':')[0])).toEqual(['format', 'crossfade_ms', 'loudness_lufs', 'bitrate_kbps'])
  })
})
