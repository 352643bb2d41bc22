import { expect, test } from '@jest/globals'
import type { ListenerMetric, StreamCommand, StreamStatus } from '@skipcast/contracts'
import { listenerMetric } from '@skipcast/contracts'
import type { MountStatistics } from './domain/statistics.ts'
import { poll, type PollPorts } from './poll.ts'

const demo: MountStatistics = { mount: '/demo', listeners: 4, peak: 6, bitrateKbps: 128, title: 'T', startedAt: 1000 }

function fixture() {
  const published: ListenerMetric[] = []
  const world = { mounts: [demo], busIsAway: false, published }
  const ports = {
    icecast: { read: async () => world.mounts },
    commands: { values: new Map([['c1', { channel_id: 'c1', channel_slug: 'demo', mount: '/demo' } as StreamCommand]]) },
    status: { values: new Map([['c1', { monitors: 1 } as StreamStatus]]) },
    bus: {
      async publish(_topic: unknown, records: ReadonlyArray<{ value: unknown }>) {
        if (world.busIsAway) throw new Error('away')
        published.push(...records.map(({ value }) => value as ListenerMetric))
      },
    },
    now: () => 11_000,
    origin: { application: 'skipcast', environment: 'test' },
  } satisfies PollPorts
  return { world, ports }
}

test('publishes a valid message per channel, keyed and stamped', async () => {
  const { ports } = fixture()
  const { published } = await poll(ports, new Map(), false)
  expect(published).toMatchObject([
    {
      event: 'listener_count_update',
      channel_id: 'c1',
      channel_slug: 'demo',
      count: 3,
      peak: 5,
      bitrate_kbps: 128,
      title: 'T',
      uptime_s: 10,
    },
  ])
  expect(listenerMetric.safeParse(published[0]).success).toBe(true)
})

test('publishes nothing twice, and what the bus did not take again', async () => {
  const { ports, world } = fixture()
  const first = await poll(ports, new Map(), false)
  expect((await poll(ports, first.told, false)).published).toEqual([])
  world.mounts = [{ ...demo, listeners: 5 }]
  world.busIsAway = true
  await expect(poll(ports, first.told, false)).rejects.toThrow('away')
  world.busIsAway = false
  expect((await poll(ports, first.told, false)).published).toMatchObject([{ count: 4 }])
})
