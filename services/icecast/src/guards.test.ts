import { beforeEach, describe, expect, test } from '@jest/globals'
import type { WantedChannel } from './domain/plan.ts'
import { guards, type Guards } from './guards.ts'

const primary = { mount: '/a', epoch: 1 }
const channel: WantedChannel = {
  channelId: 'a',
  mount: '/a',
  format: 'mp3',
  bitrateKbps: 96,
  primary,
  standby: null,
  isSigned: false,
  generation: 1,
  maxListeners: null,
  newestEpoch: 0,
}

describe('guards', () => {
  const fed = new Set<string>()
  let now: number
  let made: Guards
  let active: string
  const of = (mount: string) => made.read().get(mount)

  beforeEach(() => {
    fed.clear()
    now = 0
    active = '/a'
    made = guards({
      feeder: {
        feed: (mount, { bitrateKbps }) => void fed.add(`${mount} ${bitrateKbps}`),
        leave: (mount) => void fed.delete(`${mount} 96`),
      },
      wanted: { channels: new Map([['/a', channel]]) },
      signposts: { of: () => active },
      keepMs: 100,
      emptyMs: 10,
      now: () => now,
    })
  })

  test('a channel that somebody hears has silence on both mounts, until nobody came for a while and nobody is found', () => {
    expect(of('/a')).toBeUndefined()
    made.raise('/a')
    expect([of('/a'), ...fed]).toEqual(['raised', '/a 96', '/w/a 96'])
    now = 99
    expect(of('/a')).toBe('raised')
    now = 100
    expect([of('/a'), ...fed]).toEqual(['doubtful', '/a 96', '/w/a 96'])
    made.lower('/a')
    expect([of('/a'), ...fed]).toEqual(['doubtful', '/a 96', '/w/a 96'])
    now = 110
    made.lower('/a')
    expect([of('/a'), ...fed]).toEqual(['lowered', '/a 96'])
  })

  test('who is not found for a moment, on the way from one mount to another, keeps it', () => {
    made.raise('/a')
    for (const moment of [100, 300, 500]) {
      now = moment
      for (let look = 0; look < 10; look++) made.lower('/a')
      now = moment + 9
      made.lower('/a')
      made.raise('/a') // there they are
    }
    expect([of('/a'), ...fed]).toEqual(['raised', '/a 96', '/w/a 96'])
  })

  test('who comes while it is being found out that nobody is there keeps it', () => {
    made.raise('/a')
    now = 100
    made.raise('/a')
    made.lower('/a')
    expect([of('/a'), ...fed]).toEqual(['raised', '/a 96', '/w/a 96'])
  })

  test('a channel that nobody wants gets none, and a forgotten one begins anew', () => {
    made.raise('/b')
    expect([of('/b'), ...fed]).toEqual([undefined])
    made.raise('/a')
    made.forget('/a')
    expect([of('/a'), ...fed]).toEqual([undefined])
  })

  test('the mount where listeners are sent is fed in any case, the other one only for those who hear the channel', () => {
    made.cover('/a')
    expect([...fed]).toEqual(['/a 96'])
    active = '/w/a'
    made.cover('/a')
    expect([...fed]).toEqual(['/w/a 96'])
    made.raise('/a')
    expect([...fed]).toEqual(['/w/a 96', '/a 96'])
    made.forget('/a')
    expect([...fed]).toEqual([])
  })
})
