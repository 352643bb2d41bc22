import { describe, expect, test } from '@jest/globals'
import type { StreamCommand } from '@skipcast/contracts'
import { news, readings } from './readings.ts'
import type { MountStatistics } from './statistics.ts'

const NOW = 1_000_000_000
const mount = (path: string, listeners: number, more: Partial<MountStatistics> = {}): MountStatistics => ({
  mount: path,
  listeners,
  peak: listeners,
  bitrateKbps: 128,
  title: 'T',
  startedAt: NOW - 61_500,
  ...more,
})
const command = (slug: string) => ({ channel_id: `id-${slug}`, channel_slug: slug, mount: `/${slug}` }) as StreamCommand
const read = (mounts: MountStatistics[], monitors: Record<string, number> = {}) =>
  readings(mounts, [command('a'), command('b')], (channelId) => monitors[channelId] ?? 0, NOW)

describe('readings', () => {
  test('turns mounts into channels and leaves out the others', () => {
    const found = read([mount('/a', 3, { peak: 7 }), mount('/stranger', 9)])
    expect([...found.values()]).toEqual([
      { channelId: 'id-a', slug: 'a', mount: '/a', count: 3, peak: 7, bitrateKbps: 128, title: 'T', uptimeS: 61 },
    ])
  })

  test('our own monitors are no listeners', () => {
    expect(read([mount('/a', 3, { peak: 5 })], { 'id-a': 1 }).get('id-a')).toMatchObject({ count: 2, peak: 4 })
    expect(read([mount('/a', 0)], { 'id-a': 1 }).get('id-a')).toMatchObject({ count: 0, peak: 0 })
  })

  test('who waits while sources change places is still a listener', () => {
    expect(read([mount('/a', 1), mount('/w/a', 4), mount('/w/b', 2)]).get('id-a')).toMatchObject({ count: 5, peak: 5 })
  })

  test("a clock behind Icecast's gives no negative time", () => {
    expect(read([mount('/a', 1, { startedAt: NOW + 5000 })]).get('id-a')).toMatchObject({ uptimeS: 0 })
    expect(read([mount('/a', 1, { startedAt: null })]).get('id-a')).toMatchObject({ uptimeS: 0 })
  })
})

describe('news', () => {
  const before = read([mount('/a', 1), mount('/b', 1)])

  test('the first time everything is new; then only what changed; time going by is no change', () => {
    expect(news(before, new Map(), false)).toHaveLength(2)
    expect(news(read([mount('/a', 1, { startedAt: NOW - 90_000 }), mount('/b', 2)]), before, false)).toMatchObject([
      { channelId: 'id-b', count: 2 },
    ])
    for (const more of [{ title: 'U' }, { peak: 9 }, { bitrateKbps: 64 }] satisfies Partial<MountStatistics>[])
      expect(news(read([mount('/a', 1, more), mount('/b', 1)]), before, false)).toHaveLength(1)
  })

  test('a full picture tells all', () => {
    expect(news(before, before, true)).toHaveLength(2)
  })

  test('a channel whose mount is gone is told of once more, without listeners', () => {
    const now = read([mount('/a', 1)])
    expect(news(now, before, false)).toEqual([{ ...before.get('id-b')!, count: 0, bitrateKbps: null, title: null, uptimeS: 0 }])
    expect(news(now, now, false)).toEqual([])
  })
})
