import { describe, expect, test } from '@jest/globals'
import { messages } from '@skipcast/contracts'
import { aStream } from '../../test/streams.ts'
import { parseEngineEvent, parseRecord, toStreamEvent } from './engine-event.ts'

const teller = { serverId: 'here', origin: { application: 'skipcast', environment: 'test' } }
const { record } = aStream('a', { epoch: 4 })
const line = (fields: Record<string, unknown> = {}) =>
  JSON.stringify({
    seq: 7,
    at: 1_795_236_015.94,
    event: 'track_started',
    id: 'c1',
    data: JSON.stringify(record),
    track: 'one',
    title: 'Título 漢 😀',
    artist: '"#{x}"',
    detail: '',
    ...fields,
  })
const translate = (text: string, heardAt: (play: { startedAt: number }) => number | null = ({ startedAt }) => startedAt + 4000) =>
  toStreamEvent(teller, 'engine', parseEngineEvent(text)!, (_, play) => heardAt(play))

describe("an engine's event", () => {
  test('becomes a track play with the same id however often it is read', () => {
    const event = translate(line())
    expect(event).toEqual(translate(line()))
    expect(messages.streamEvents.parse(event)).toMatchObject({
      id: 'engine.7',
      event: 'track_started',
      track_play_id: 'engine.7',
      channel_id: 'a',
      epoch: 4,
      server_id: 'here',
      media_id: 'one',
      title: 'Título 漢 😀',
      artist: '"#{x}"',
      queued_at: 1_795_236_015_940,
      started_at: 1_795_236_019_940,
      occurred_at: 1_795_236_019_940,
    })
  })

  test('of a track that is not heard yet waits', () => {
    expect(translate(line(), () => null)).toBe('not yet')
  })

  test('of a track that failed says why', () => {
    const event = translate(line({ event: 'track_failed', detail: 'not_playable' }))
    expect(messages.streamEvents.parse(event)).toMatchObject({ event: 'track_failed', media_id: 'one', reason: 'not_playable' })
  })

  test('that is our own business, or of a channel that is none of ours, is not told', () => {
    for (const event of ['added', 'removed', 'connected', 'disconnected']) expect(translate(line({ event }))).toBeNull()
    for (const data of ['', 'x', '{}', '{"channelId":1}']) expect(translate(line({ data }))).toBeNull()
  })

  test('that is torn is no event', () => {
    for (const text of ['', '{', line().slice(0, 40), '[]', 'null', line({ seq: 'x' })]) expect(parseEngineEvent(text)).toBeNull()
  })
})

test('a record comes back as it was handed in', () => {
  expect(parseRecord(JSON.stringify(record))).toEqual(record)
})
