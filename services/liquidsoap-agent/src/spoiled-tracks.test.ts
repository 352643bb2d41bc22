import { expect, test } from '@jest/globals'
import type { StreamEvent } from '@skipcast/contracts'
import { aStart, aTrack } from '../test/streams.ts'
import { spoiledTracks } from './spoiled-tracks.ts'

test('a track counts as spoiled from when it could not be played until it plays, or is taken off the channel', () => {
  const spoiled = spoiledTracks()
  const told = (event: 'track_failed' | 'track_started', media_id: string, reason = 'not_playable') =>
    spoiled.note({ event, channel_id: 'a', media_id, reason } as StreamEvent)
  const start = aStart('a', { tracks: ['one', 'two'].map((id) => aTrack(id)) })
  expect(spoiled.count(start)).toBe(0)
  for (const mediaId of ['one', 'two', 'two']) told('track_failed', mediaId)
  expect(spoiled.count(start)).toBe(2)
  expect(spoiled.count(aStart('b'))).toBe(0)
  told('track_started', 'one')
  expect(spoiled.count(start)).toBe(1)
  told('track_failed', 'one', 'not_found')
  expect(spoiled.count(start)).toBe(1)
  expect(spoiled.count(aStart('a', { tracks: [aTrack('one')] }))).toBe(0)
})
