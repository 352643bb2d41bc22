import { afterEach, describe, expect, test } from '@jest/globals'
import { streamFeed, type Picture, type StreamFeed, type Subscription } from './stream-feed.ts'

let feed: StreamFeed | undefined
afterEach(() => feed?.[Symbol.dispose]())

const HERE = '127.0.0.1'

function setUp(maxClients = 2, maxClientsPerAddress = 2) {
  const streams = new Map<string, string>()
  const listeners = new Set<() => void>()
  const read = async (): Promise<Picture[]> =>
    [...streams].map(([key, data]) => {
      const [channelId = '', ownerId] = key.split(' of ')
      const audience = { ownerId: ownerId ?? 'x', privacy: ownerId === undefined ? ('public' as const) : ('private' as const) }
      return { channelId, audience, data, essence: data.split(' seen ')[0]! }
    })
  const onChange = (listener: () => void) => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }
  feed = streamFeed({ read, onChange, maxClients, maxClientsPerAddress })
  const set = (id: string, data: string | null) => {
    if (data === null) streams.delete(id)
    else streams.set(id, data)
    for (const listener of listeners) listener()
  }
  return { feed, set, listeners }
}

/** The next events, as many as were told of, without their ids. */
async function told(client: Subscription, count: number): Promise<(string | undefined)[]> {
  const events: (string | undefined)[] = []
  while (events.length < count) {
    const event = await client.next(5000)
    events.push(/event: (.*)\ndata: (.*)\n\n$/.exec(String(event))?.slice(1).join(' '))
  }
  return events
}

describe('those who follow the streams', () => {
  test('are told all as it is, then what changes, then what is gone', async () => {
    const { feed, set } = setUp()
    set('a', '1')
    set('b', '2')
    using client = feed.subscribe(null, 'public', HERE)
    expect(await told(client, 3)).toEqual(['stream 1', 'stream 2', 'complete {}'])
    set('b', '3')
    expect(await told(client, 1)).toEqual(['stream 3'])
    set('a', null)
    expect(await told(client, 1)).toEqual(['gone {"channel":{"id":"a"}}'])
  })

  test('are told of private channels only where these are theirs, and that a channel is gone when it becomes private', async () => {
    const { feed, set } = setUp(3, 3)
    set('a', 'public')
    set('b of me', 'mine')
    set('c of you', 'yours')
    using nobody = feed.subscribe(null, 'public', HERE)
    using owner = feed.subscribe(null, { ownerId: 'me' }, HERE)
    using admin = feed.subscribe(null, 'everything', HERE)
    expect(await told(nobody, 2)).toEqual(['stream public', 'complete {}'])
    expect(await told(owner, 3)).toEqual(['stream public', 'stream mine', 'complete {}'])
    expect(await told(admin, 4)).toEqual(['stream public', 'stream mine', 'stream yours', 'complete {}'])
    set('b of me', 'mine again')
    set('a', null)
    set('a of me', 'private')
    const gone = 'gone {"channel":{"id":"a"}}'
    expect(await told(nobody, 1)).toEqual([gone])
    const owners = await told(owner, 3)
    expect(new Set(owners)).toEqual(new Set([gone, 'stream mine again', 'stream private']))
    expect(owners.indexOf(gone)).toBeLessThan(owners.indexOf('stream private'))
    expect(await told(admin, 3)).toHaveLength(3)
    set('a of me', null)
    set('a', 'public again')
    expect(await told(nobody, 1)).toEqual(['stream public again'])
    expect(await told(owner, 2)).toEqual([gone, 'stream public again'])
  })

  test('do not hear of what was only seen once more; who comes then is told when that was', async () => {
    const { feed, set } = setUp()
    set('a', '1 seen 1')
    using client = feed.subscribe(null, 'public', HERE)
    expect(await told(client, 2)).toEqual(['stream 1 seen 1', 'complete {}'])
    set('a', '1 seen 2')
    using second = feed.subscribe(null, 'public', HERE)
    expect(await told(second, 2)).toEqual(['stream 1 seen 2', 'complete {}'])
    set('a', '2 seen 3')
    expect(await told(client, 1)).toEqual(['stream 2 seen 3'])
  })

  test('hear of one channel alone where they ask for one', async () => {
    const { feed, set } = setUp()
    set('a', '1')
    set('b', '2')
    using client = feed.subscribe('b', 'public', HERE)
    expect(await told(client, 2)).toEqual(['stream 2', 'complete {}'])
    set('a', '9')
    set('b', '3')
    expect(await told(client, 1)).toEqual(['stream 3'])
  })

  test('who listen slowly are told once of what changed often', async () => {
    const { feed, set } = setUp()
    using slow = feed.subscribe(null, 'public', HERE)
    using quick = feed.subscribe(null, 'public', HERE)
    expect(await told(slow, 1)).toEqual(['complete {}'])
    expect(await told(quick, 1)).toEqual(['complete {}'])
    for (let turn = 1; turn <= 50; turn++) {
      set('a', `${turn}`)
      expect(await told(quick, 1)).toEqual([`stream ${turn}`])
    }
    expect(await told(slow, 1)).toEqual(['stream 50'])
  })

  test('get nothing while nothing changes, and no id twice', async () => {
    const { feed, set } = setUp()
    set('a', '1')
    using client = feed.subscribe(null, 'public', HERE)
    const events = [await client.next(5000), await client.next(5000)]
    expect(await client.next(1)).toBe('nothing')
    set('a', '2')
    events.push(await client.next(5000))
    const ids = events.map((event) => /^id: (\S+)/.exec(String(event))![1])
    expect(new Set(ids).size).toBe(3)
  })

  test('are limited in number, and cost nothing once they have left', () => {
    const { feed, listeners } = setUp(1)
    {
      using _one = feed.subscribe(null, 'public', HERE)
      expect(() => feed.subscribe(null, 'public', HERE)).toThrow(expect.objectContaining({ code: 'TOO_MANY_REQUESTS' }))
      expect(listeners.size).toBe(1)
    }
    expect(listeners.size).toBe(0)
    feed.subscribe(null, 'public', HERE)[Symbol.dispose]()
  })

  test('are limited by address, so that one can not take all the places', () => {
    const { feed } = setUp(3, 2)
    using first = feed.subscribe(null, 'public', HERE)
    using _second = feed.subscribe(null, 'public', HERE)
    expect(() => feed.subscribe(null, 'public', HERE)).toThrow(expect.objectContaining({ code: 'TOO_MANY_REQUESTS' }))
    using _other = feed.subscribe(null, 'public', '192.0.2.1')
    first[Symbol.dispose]()
    first[Symbol.dispose]()
    feed.subscribe(null, 'public', HERE)[Symbol.dispose]()
  })

  test('share the bytes of each event, and get one at a time', async () => {
    const { feed, set } = setUp()
    set('a', '1')
    set('b', '2')
    using one = feed.subscribe(null, 'public', HERE)
    using two = feed.subscribe(null, 'public', HERE)
    const picture = [await one.next(5000), await one.next(5000)]
    await one.next(5000)
    set('b', '3')
    const change = await one.next(5000)
    expect(String(change)).toContain('data: 3')
    expect([await two.next(5000), await two.next(5000)].map(String)).toEqual([String(picture[0]), String(change)])
    await two.next(5000)
    expect(await two.next(5000)).toBe(change) // the very same buffer
  })

  test('who are too many changes behind are let go, and come again', async () => {
    const { feed, set } = setUp()
    const slow = feed.subscribe(null, 'public', HERE)
    using quick = feed.subscribe(null, 'public', HERE)
    expect(await told(slow, 1)).toEqual(['complete {}'])
    expect(await told(quick, 1)).toEqual(['complete {}'])
    for (let turn = 1; turn <= 1001; turn++) {
      set('a', `${turn}`)
      expect(await told(quick, 1)).toEqual([`stream ${turn}`])
    }
    expect(await slow.next(5000)).toBeNull()
    using again = feed.subscribe(null, 'public', HERE)
    expect(await told(again, 2)).toEqual(['stream 1001', 'complete {}'])
  })

  test('are let go when the service ends', async () => {
    const { feed } = setUp()
    const client = feed.subscribe(null, 'public', HERE)
    const waiting = client.next(60_000)
    feed[Symbol.dispose]()
    expect(await waiting).toBeNull()
  })
})
