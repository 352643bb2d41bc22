import { expect, test } from '@jest/globals'
import { aStream, aTrack } from '../test/streams.ts'
import { resume, STARTING_MS, type LastPlay } from './resume.ts'

let now = 1_000_000
const clock = { wallMs: () => now }
const heard = (playId: string, mediaId: string, sentAt: number | null = null): LastPlay => ({ playId, mediaId, epoch: 1, sentAt })
const ids = ['one', 'two', 'three']
const stream = aStream('a', { tracks: ids.map((id) => aTrack(id)) })

test('a channel that is started again goes on after the track that was heard last, and passes over what was not heard then', () => {
  let last: LastPlay | null = null
  const subject = resume(() => last, clock)
  const refused = () => subject.inTurn(stream).tracks.map(({ media_id }) => media_id)
  const order = () => {
    const tracks = refused()
    subject.begun(stream)
    return tracks
  }
  expect(order()).toEqual(['one', 'two', 'three'])
  last = heard('e.1', 'one')
  expect(order()).toEqual(['two', 'three', 'one'])
  expect(order()).toEqual(['three', 'one', 'two'])
  expect(order()).toEqual(['one', 'two', 'three'])
  last = heard('e.5', 'one')
  expect(refused()).toEqual(['two', 'three', 'one'])
  expect(refused()).toEqual(['two', 'three', 'one']) // no engine took it, so the track is not why
  last = heard('e.9', 'three')
  expect(order()).toEqual(['one', 'two', 'three'])
  last = heard('e.10', 'no more there')
  expect(order()).toEqual(['one', 'two', 'three'])
  expect(subject.inTurn(stream).record).toEqual(stream.record)
})

const begun = (overrides: Parameters<typeof aStream>[1], last: LastPlay | null = null) => {
  const { tracks, offsetMs } = resume(() => last, clock).inTurn(
    aStream('a', { tracks: ids.map((id) => aTrack(id)), ...overrides }),
  )
  return [tracks[0]!.media_id, offsetMs]
}
const standby = { server_id: 'there', epoch: 2, mount: '/w/a', source_token: 'b' }
const playing = (media_id: string, ago: number) => ({ media_id, sent_at: now + STARTING_MS - ago })

test('who takes a channel over begins where it is by now, within a track too', () => {
  expect(begun({ playing: playing('two', 4000) })).toEqual(['two', 4000])
  expect(begun({ playing: playing('two', 14_000) })).toEqual(['three', 4000])
  expect(begun({ playing: playing('two', 14_000) }, { ...heard('e.1', 'one'), epoch: 0 })).toEqual(['three', 4000])
  expect(begun({ playing: playing('gone', 4000) })).toEqual(['one', undefined])
})

test('a track is begun at its beginning where that is near, and not begun at its very end', () => {
  expect(begun({ playing: playing('two', 200) })).toEqual(['two', 0])
  expect(begun({ playing: playing('two', 9900) })).toEqual(['three', 0])
})

test('of one replica, who played it before goes on after what was heard last', () => {
  expect(begun({ playing: playing('two', 4000) }, heard('e.1', 'one', now - 3000))).toEqual(['two', undefined])
})

test('of two replicas, each begins where the other is: after the newest that was heard, or together', () => {
  expect(begun({ standby, playing: playing('two', 40_000) }, heard('e.1', 'one', now + STARTING_MS - 3000))).toEqual([
    'one',
    3000,
  ])
  expect(begun({ standby, playing: playing('two', 4000) }, heard('e.1', 'one', now - 30_000))).toEqual(['two', 4000])
  expect(begun({ standby, occurred_at: now + STARTING_MS - 12_000 })).toEqual(['two', 2000])
})

test('a track within which no engine is heard is passed over', () => {
  const subject = resume(() => null, clock)
  const broken = aStream('a', { tracks: ids.map((id) => aTrack(id)), playing: playing('two', 4000) })
  subject.begun(broken)
  expect(subject.inTurn(broken)).toMatchObject({ tracks: [{ media_id: 'three' }, {}, {}], offsetMs: 0 })
})
