import { describe, expect, test } from '@jest/globals'
import type { StreamCommand } from '@skipcast/contracts'
import { news, readings, type Sight, type Told } from './readings.ts'
import type { MountStatistics } from './statistics.ts'

const SINCE = 1_000_000_000
const mount = (path: string, listeners: number, more: Partial<MountStatistics> = {}): MountStatistics => ({
  mount: path,
  listeners,
  peak: listeners,
  bitrateKbps: 128,
  title: 'T',
  startedAt: SINCE,
  ...more,
})
const sight = (icecast: string, ...mounts: MountStatistics[]): Sight => ({
  icecast,
  mounts: new Map(mounts.map((entry) => [entry.mount, entry])),
})
const silent = (icecast: string): Sight => ({ icecast, mounts: null })
const command = (slug: string) => ({ channel_id: `id-${slug}`, channel_slug: slug, mount: `/${slug}` }) as StreamCommand
const read = (sights: Sight[], more: { monitors?: Record<string, number>; told?: Told } = {}) =>
  readings(sights, [command('a'), command('b')], (channelId) => more.monitors?.[channelId] ?? 0, more.told ?? new Map())
const readOne = (mounts: MountStatistics[], more?: Parameters<typeof read>[1]) => read([sight('one', ...mounts)], more)

describe('readings of one Icecast', () => {
  test('turns mounts into channels and leaves out the others', () => {
    const found = readOne([mount('/a', 3, { peak: 7 }), mount('/stranger', 9)])
    expect([...found.values()]).toEqual([
      {
        channelId: 'id-a',
        slug: 'a',
        mount: '/a',
        count: 3,
        peak: 7,
        bitrateKbps: 128,
        title: 'T',
        startedAt: SINCE,
        mostConnections: 7,
        shares: [{ icecast: 'one', seen: { connections: 3, peak: 7 } }],
      },
    ])
  })

  test('our own monitors are no listeners', () => {
    expect(readOne([mount('/a', 3, { peak: 5 })], { monitors: { 'id-a': 1 } }).get('id-a')).toMatchObject({ count: 2, peak: 4 })
    expect(readOne([mount('/a', 0)], { monitors: { 'id-a': 1 } }).get('id-a')).toMatchObject({ count: 0, peak: 0 })
  })

  test('who waits while sources change places is still a listener', () => {
    expect(readOne([mount('/a', 1), mount('/w/a', 4), mount('/w/b', 2)]).get('id-a')).toMatchObject({ count: 5, peak: 5 })
  })

  test('a channel whose primary feeds the other mount is counted on both, once each, and still called by its own', () => {
    const swapped = [{ ...command('a'), mount: '/w/a' }]
    const at = (...mounts: MountStatistics[]) => readings([sight('one', ...mounts)], swapped, () => 1, new Map()).get('id-a')
    const fed = mount('/w/a', 4, { peak: 6, startedAt: SINCE + 1000, title: 'heard' })
    expect(at(fed)).toMatchObject({ mount: '/a', count: 3, peak: 5, startedAt: SINCE + 1000 })
    expect(at(mount('/a', 2, { peak: 9, title: null }), fed)).toMatchObject({
      mount: '/a',
      count: 5,
      peak: 8,
      startedAt: SINCE + 1000,
      title: 'heard',
    })
  })
})

describe('readings of several Icecasts', () => {
  test('are summed, each with its own part; the oldest source counts, and whoever names a title', () => {
    const there = mount('/a', 4, { title: null, bitrateKbps: null, startedAt: SINCE + 5000 })
    const found = read([sight('one', there), sight('two', mount('/a', 3, { peak: 9 })), sight('three', mount('/b', 1))])
    expect(found.get('id-a')).toMatchObject({ count: 7, peak: 9, bitrateKbps: 128, title: 'T', startedAt: SINCE })
    expect(found.get('id-a')!.shares).toEqual([
      { icecast: 'one', seen: { connections: 4, peak: 4 } },
      { icecast: 'two', seen: { connections: 3, peak: 9 } },
    ])
    expect(found.get('id-b')!.shares.map(({ icecast }) => icecast)).toEqual(['three'])
  })

  test('peaks of different moments are not added; the most that was seen at once is kept until the sources are others', () => {
    const first = read([sight('one', mount('/a', 6)), sight('two', mount('/a', 6))])
    expect(first.get('id-a')).toMatchObject({ count: 12, peak: 12 })
    const later = read([sight('one', mount('/a', 0, { peak: 9 })), sight('two', mount('/a', 1, { peak: 9 }))], { told: first })
    expect(later.get('id-a')).toMatchObject({ count: 1, peak: 12 })
    const restarted = { peak: 2, startedAt: SINCE + 60_000 }
    const anew = read([sight('one', mount('/a', 0, restarted)), sight('two', mount('/a', 1, restarted))], { told: later })
    expect(anew.get('id-a')).toMatchObject({ count: 1, peak: 2 })
  })

  test('one that is silent is left out of the sum, and the message says so', () => {
    const told = read([sight('one', mount('/a', 4)), sight('two', mount('/a', 3), mount('/b', 1))])
    const now = read([sight('one', mount('/a', 4)), silent('two')], { told })
    expect(now.get('id-a')).toMatchObject({ count: 4 })
    expect(now.get('id-a')!.shares).toEqual([
      { icecast: 'one', seen: { connections: 4, peak: 4 } },
      { icecast: 'two', seen: null },
    ])
    expect(news(now, told, false).map(({ channelId }) => channelId)).toEqual(['id-a'])
  })

  test('of a channel that only silent ones had, nothing is known and nothing is told, until one speaks again', () => {
    const told = read([sight('one', mount('/a', 4)), sight('two', mount('/b', 1))])
    const now = read([sight('one', mount('/a', 4)), silent('two')], { told })
    expect(now.get('id-b')).toMatchObject({ count: 1 })
    expect(news(now, told, true).map(({ channelId }) => channelId)).toEqual(['id-a'])
    const back = read([sight('one', mount('/a', 4)), sight('two', mount('/b', 1))], { told: now })
    expect(news(back, now, false).map(({ channelId }) => channelId)).toEqual(['id-b'])
    const ended = read([sight('one', mount('/a', 4)), sight('two')], { told: now })
    expect(news(ended, now, false)).toMatchObject([{ channelId: 'id-b', count: 0, shares: [] }])
  })

  test('a listener who moves from one to another is news, though the sum is the same', () => {
    const told = read([sight('one', mount('/a', 4)), sight('two', mount('/a', 3))])
    const now = read([sight('one', mount('/a', 3)), sight('two', mount('/a', 4))], { told })
    expect(news(now, told, false)).toMatchObject([{ channelId: 'id-a', count: 7 }])
  })
})

describe('news', () => {
  const before = readOne([mount('/a', 1), mount('/b', 1)])

  test('the first time everything is new; then only what changed; time going by is no change', () => {
    expect(news(before, new Map(), false)).toHaveLength(2)
    expect(news(readOne([mount('/a', 1), mount('/b', 2)]), before, false)).toMatchObject([{ channelId: 'id-b', count: 2 }])
    for (const more of [{ title: 'U' }, { peak: 9 }, { bitrateKbps: 64 }] satisfies Partial<MountStatistics>[])
      expect(news(readOne([mount('/a', 1, more), mount('/b', 1)]), before, false)).toHaveLength(1)
  })

  test('a full picture tells all', () => {
    expect(news(before, before, true)).toHaveLength(2)
  })

  test('a channel whose mount is gone is told of once more, without listeners', () => {
    const now = readOne([mount('/a', 1)])
    const empty = { count: 0, bitrateKbps: null, title: null, startedAt: null, mostConnections: 0, shares: [] }
    expect(news(now, before, false)).toEqual([{ ...before.get('id-b')!, ...empty }])
    expect(news(now, now, false)).toEqual([])
  })
})
