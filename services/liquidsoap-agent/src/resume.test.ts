import { expect, test } from '@jest/globals'
import { aStream, aTrack } from '../test/streams.ts'
import { resume, type LastPlay } from './resume.ts'

const stream = aStream('a', { tracks: ['one', 'two', 'three'].map((id) => aTrack(id)) })

test('a channel that is started again goes on after the track that was heard last, and passes over what was not heard then', () => {
  let last: LastPlay | null = null
  const subject = resume(() => last)
  const refused = () => subject.inTurn(stream).tracks.map(({ media_id }) => media_id)
  const order = () => {
    const tracks = refused()
    subject.begun(stream)
    return tracks
  }
  expect(order()).toEqual(['one', 'two', 'three'])
  last = { playId: 'e.1', mediaId: 'one' }
  expect(order()).toEqual(['two', 'three', 'one'])
  expect(order()).toEqual(['three', 'one', 'two'])
  expect(order()).toEqual(['one', 'two', 'three'])
  last = { playId: 'e.5', mediaId: 'one' }
  expect(refused()).toEqual(['two', 'three', 'one'])
  expect(refused()).toEqual(['two', 'three', 'one']) // no engine took it, so the track is not why
  last = { playId: 'e.9', mediaId: 'three' }
  expect(order()).toEqual(['one', 'two', 'three'])
  last = { playId: 'e.10', mediaId: 'no more there' }
  expect(order()).toEqual(['one', 'two', 'three'])
  expect(subject.inTurn(stream).record).toEqual(stream.record)
})
