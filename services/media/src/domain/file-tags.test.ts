import { expect, test } from '@jest/globals'
import { fileTags } from './file-tags.ts'

test('tags are found in any case', () => {
  expect(fileTags({ TITLE: 'T', Artist: 'A', album: 'L', TRACKNUMBER: '3' })).toEqual({
    title: 'T',
    artist: 'A',
    album: 'L',
    track: '3',
  })
})

test('A1: what steers an engine is not taken', () => {
  expect(fileTags({ liq_cue_in: '5', liq_amplify: '9', replaygain_track_gain: '-99 dB', lyrics: 'la', title: 'T' })).toEqual({
    title: 'T',
  })
})

test('tags that are no text do not count, and long ones are cut', () => {
  expect(fileTags({ title: 5, artist: { a: 1 }, album: 'x'.repeat(9000) })).toEqual({ album: 'x'.repeat(2000) })
})
