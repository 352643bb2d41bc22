import { beforeEach, describe, expect, test } from '@jest/globals'
import { heardPlays, type HeardPlays } from './hear-plays.ts'

let now: number
let heard: { delayMs: number; titles: string[] }
let subject: HeardPlays

beforeEach(() => {
  now = 100_000
  heard = { delayMs: 4000, titles: [] }
  const unused = { isPresent: true, lastByteAt: null, lastSoundAt: null, lastGreetingSoundAt: null }
  const ear = {
    get heard() {
      return { ...unused, ...heard }
    },
  }
  subject = heardPlays(ear, { wallMs: () => now })
})

const play = (name: string, startedAt: number) => ({
  playId: `e.${name}`,
  mediaId: name,
  title: name,
  artist: 'A',
  startedAt,
  sentAt: startedAt - 500,
})
const nowAt = (at: number, sent: Parameters<HeardPlays['now']>[0]) => {
  now = at
  return subject.now(sent, null)
}

describe('what listeners hear', () => {
  test('is what was sent as long ago as they are behind', () => {
    const [one, two] = [play('one', 100_000), play('two', 110_000)]
    expect(nowAt(103_999, one)).toBeNull()
    expect(nowAt(104_000, one)).toEqual({
      track_play_id: 'e.one',
      media_id: 'one',
      title: 'one',
      artist: 'A',
      started_at: 104_000,
      queued_at: 99_500,
    })
    expect(nowAt(113_900, two)).toMatchObject({ media_id: 'one' })
    expect(nowAt(114_000, two)).toMatchObject({ media_id: 'two', started_at: 114_000 })
  })

  test('is each track in turn, also when several were sent meanwhile', () => {
    nowAt(100_000, play('one', 100_000))
    nowAt(101_000, play('two', 101_000))
    expect(nowAt(104_500, play('three', 104_500))).toMatchObject({ media_id: 'one' })
    expect(nowAt(105_000, play('three', 104_500))).toMatchObject({ media_id: 'two' })
    expect(nowAt(108_500, play('three', 104_500))).toMatchObject({ media_id: 'three' })
  })

  test('began when it was told to have begun, also to the as-run log, and also by the agent before', () => {
    const one = play('one', 100_000)
    expect(subject.heardAt(one)).toBeNull()
    nowAt(104_000, one)
    heard.delayMs = 3000
    expect(subject.heardAt(one)).toBe(104_000)
    const before = { track_play_id: 'e.two', media_id: 'two', title: 'two', artist: 'A', started_at: 109_999 }
    expect(subject.now(play('two', 105_000), before)).toEqual(before)
    expect(subject.heardAt(play('two', 105_000))).toBe(109_999)
  })

  test('waits for the title to come, but not for ever', () => {
    heard.titles = ['A - before']
    const one = play('one', 100_000)
    expect(nowAt(105_000, one)).toBeNull()
    expect(nowAt(107_000, one)).toMatchObject({ media_id: 'one', started_at: 104_000 })
    heard.titles = ['A - before', 'A - two']
    expect(nowAt(114_000, play('two', 110_000))).toMatchObject({ media_id: 'two' })
  })

  test('is nothing once nobody hears it, and begins anew after that', () => {
    const one = play('one', 100_000)
    expect(nowAt(105_000, one)).not.toBeNull()
    expect(nowAt(106_000, null)).toBeNull()
    expect(nowAt(107_000, play('two', 106_000))).toBeNull()
  })
})
