import { describe, expect, test } from '@jest/globals'
import { aStart, aTrack, primary } from '../../test/streams.ts'
import { wantedStream } from './wanted.ts'

const ids = ['one', 'two', 'three', 'four', 'five', 'six']
const tracks = ids.map((id) => aTrack(id))
const hashes = (...names: string[]) => new Set(names.map((name) => aTrack(name).sha256))
const absent = (names: string[], why: 'MEDIA_MISSING' | 'DISK_FULL' = 'MEDIA_MISSING') =>
  new Map(names.map((name) => [aTrack(name).sha256, why] as const))
const playable = (cached: Set<string>, missing = absent([])) =>
  wantedStream(primary(aStart('a', { tracks })), { cached, missing }).tracks.map(({ media_id }) => media_id)

describe('what is wanted', () => {
  test('begins with the first file that is here, and grows by doubling until all are', () => {
    expect(playable(hashes())).toEqual([])
    expect(playable(hashes('one'))).toEqual(['one'])
    expect(playable(hashes('one', 'two', 'three'))).toEqual(['one', 'two'])
    expect(playable(hashes(...ids.slice(0, 5)))).toEqual(ids.slice(0, 4))
    expect(playable(hashes(...ids))).toEqual(ids)
  })

  test('is all that is here once the rest is known to be missing', () => {
    expect(playable(hashes('one', 'three', 'five'), absent(['two', 'four', 'six']))).toEqual(['one', 'three', 'five'])
  })

  test('says why there is nothing to play', () => {
    const nothing = { cached: hashes(), missing: absent(ids) }
    expect(wantedStream(primary(aStart('a', { tracks: [] })), nothing).lack).toBe('NO_TRACKS')
    expect(wantedStream(primary(aStart('a', { tracks })), nothing).lack).toBe('MEDIA_MISSING')
    expect(wantedStream(primary(aStart('a', { tracks })), { cached: hashes(), missing: absent(['one']) }).lack).toBeNull()
    expect(wantedStream(primary(aStart('a', { tracks })), { cached: hashes(), missing: absent(ids, 'DISK_FULL') }).lack).toBe(
      'DISK_FULL',
    )
    expect(wantedStream(primary(aStart('a', { tracks })), { cached: hashes('one'), missing: absent(['two']) })).toMatchObject({
      lack: null,
      absent: { count: 1, why: 'MEDIA_MISSING' },
    })
  })

  test('keeps its settings when only tracks change, and its content when only settings do', () => {
    const files = { cached: hashes(...ids), missing: absent([]) }
    const { record } = wantedStream(primary(aStart('a', { tracks })), files)
    const retitled = wantedStream(
      primary(aStart('a', { tracks: [aTrack('one', { title: 'New' })], generation: 2 })),
      files,
    ).record
    expect(retitled.settings).toBe(record.settings)
    expect(retitled.content).not.toBe(record.content)
    const encoded = wantedStream(primary(aStart('a', { tracks, mode: 'encode' })), files).record
    expect(encoded.content).toBe(record.content)
    expect(encoded.settings).not.toBe(record.settings)
    const renamed = aStart('a', { tracks, name: 'New', description: 'New', genre: 'New' })
    expect(wantedStream(primary(renamed), files).record).toEqual(record)
    expect(wantedStream(primary(aStart('a', { tracks, bitrate_kbps: 192 })), files).record).toEqual(record)
  })

  test('has other settings with a crossfade, and another content with other levels or ends', () => {
    const encoded = (fields: object, change: object = {}) => {
      const command = aStart('a', { mode: 'encode', tracks: [aTrack('one', change)], ...fields })
      return wantedStream(primary(command), { cached: hashes('one'), missing: absent([]) }).record
    }
    const plain = encoded({})
    expect(encoded({ crossfade_ms: 3000 }).settings).not.toBe(plain.settings)
    for (const change of [{ gain_db: -3 }, { cue_in_ms: 500 }, { cue_out_ms: 500 }]) {
      const changed = encoded({}, change)
      expect(changed.content).not.toBe(plain.content)
      expect(changed.settings).toBe(plain.settings)
    }
  })
})
