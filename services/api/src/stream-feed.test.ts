import { afterEach, describe, expect, test } from '@jest/globals'
import { streamFeed, type Picture, type StreamFeed } from './stream-feed.ts'

let feed: StreamFeed | undefined
afterEach(() => feed?.[Symbol.dispose]())

function setUp(maxClients = 2) {
  const streams = new Map<string, string>()
  const listeners = new Set<() => void>()
  const read = async (): Promise<Picture[]> =>
    [...streams].map(([channelId, data]) => ({ channelId, data, essence: data.split(' seen ')[0]! }))
  const onChange = (listener: () => void) => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }
  feed = streamFeed({ read, onChange, maxClients })
  const set = (id: string, data: string | null) => {
    if (data === null) streams.delete(id)
    else streams.set(id, data)
    for (const listener of listeners) listener()
  }
  return { feed, set, listeners }
}

const told = (events: readonly string[] | null) =>
  events?.map((event) => /event: (.*)\ndata: (.*)\n\n$/.exec(event)?.slice(1).join(' '))

describe('those who follow the streams', () => {
  test('are told all as it is, then what changes, then what is gone', async () => {
    const { feed, set } = setUp()
    set('a', '1')
    set('b', '2')
    using client = feed.subscribe(null)
    expect(told(await client.next(5000))).toEqual(['stream 1', 'stream 2', 'complete {}'])
    set('b', '3')
    expect(told(await client.next(5000))).toEqual(['stream 3'])
    set('a', null)
    expect(told(await client.next(5000))).toEqual(['gone {"channel":{"id":"a"}}'])
  })

  test('do not hear of what was only seen once more; who comes then is told when that was', async () => {
    const { feed, set } = setUp()
    set('a', '1 seen 1')
    using client = feed.subscribe(null)
    expect(told(await client.next(5000))).toEqual(['stream 1 seen 1', 'complete {}'])
    set('a', '1 seen 2')
    using second = feed.subscribe(null)
    expect(told(await second.next(5000))).toEqual(['stream 1 seen 2', 'complete {}'])
    set('a', '2 seen 3')
    expect(told(await client.next(5000))).toEqual(['stream 2 seen 3'])
  })

  test('hear of one channel alone where they ask for one', async () => {
    const { feed, set } = setUp()
    set('a', '1')
    set('b', '2')
    using client = feed.subscribe('b')
    expect(told(await client.next(5000))).toEqual(['stream 2', 'complete {}'])
    set('a', '9')
    set('b', '3')
    expect(told(await client.next(5000))).toEqual(['stream 3'])
  })

  test('who listen slowly are told once of what changed often', async () => {
    const { feed, set } = setUp()
    using slow = feed.subscribe(null)
    using quick = feed.subscribe(null)
    await slow.next(5000)
    await quick.next(5000)
    for (let turn = 1; turn <= 50; turn++) {
      set('a', `${turn}`)
      expect(told(await quick.next(5000))).toEqual([`stream ${turn}`])
    }
    expect(told(await slow.next(5000))).toEqual(['stream 50'])
  })

  test('get nothing while nothing changes, and no id twice', async () => {
    const { feed, set } = setUp()
    set('a', '1')
    using client = feed.subscribe(null)
    const first = await client.next(5000)
    expect(await client.next(1)).toEqual([])
    set('a', '2')
    const ids = [...first!, ...(await client.next(5000))!].map((event) => /^id: (\S+)/.exec(event)![1])
    expect(new Set(ids).size).toBe(3)
  })

  test('are limited in number, and cost nothing once they have left', () => {
    const { feed, listeners } = setUp(1)
    {
      using _one = feed.subscribe(null)
      expect(() => feed.subscribe(null)).toThrow(expect.objectContaining({ code: 'TOO_MANY_REQUESTS' }))
      expect(listeners.size).toBe(1)
    }
    expect(listeners.size).toBe(0)
    feed.subscribe(null)[Symbol.dispose]()
  })

  test('are let go when the service ends', async () => {
    const { feed } = setUp()
    const client = feed.subscribe(null)
    const waiting = client.next(60_000)
    feed[Symbol.dispose]()
    expect(await waiting).toBeNull()
  })
})
