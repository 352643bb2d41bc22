import { expect, test } from '@jest/globals'
import type { ListenerMetric, StreamCommand, StreamStatus } from '@skipcast/contracts'
import { listenerMetric } from '@skipcast/contracts'
import type { Sight } from './domain/readings.ts'
import type { MountStatistics } from './domain/statistics.ts'
import { tell, type TellPorts } from './tell.ts'

const demo: MountStatistics = { mount: '/demo', listeners: 4, peak: 6, bitrateKbps: 128, title: 'T', startedAt: 1000 }
const sight = (icecast: string, entry: MountStatistics): Sight => ({ icecast, mounts: new Map([[entry.mount, entry]]) })

function fixture() {
  const published: ListenerMetric[] = []
  const world = { busIsAway: false, published }
  const ports = {
    commands: { values: new Map([['c1', { channel_id: 'c1', channel_slug: 'demo', mount: '/demo' } as StreamCommand]]) },
    status: { values: new Map([['c1', { monitors: 1 } as StreamStatus]]) },
    bus: {
      async publish(_topic: unknown, records: ReadonlyArray<{ value: unknown }>) {
        if (world.busIsAway) throw new Error('away')
        published.push(...records.map(({ value }) => value as ListenerMetric))
      },
    },
    now: () => 11_900,
    origin: { application: 'skipcast', environment: 'test' },
  } satisfies TellPorts
  return { world, ports }
}

test('publishes a valid message per channel, keyed and stamped', async () => {
  const { ports } = fixture()
  const { published } = await tell(ports, [sight('one', demo)], new Map(), false)
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
  expect(published[0]).not.toHaveProperty('icecasts')
  expect(listenerMetric.safeParse(published[0]).success).toBe(true)
})

test("a clock behind Icecast's gives no negative time", async () => {
  const { ports } = fixture()
  const ahead = await tell(ports, [sight('one', { ...demo, startedAt: 20_000 })], new Map(), false)
  const unknown = await tell(ports, [sight('one', { ...demo, startedAt: null })], new Map(), false)
  expect([...ahead.published, ...unknown.published]).toMatchObject([{ uptime_s: 0 }, { uptime_s: 0 }])
})

test('of several Icecasts, the message has the part of each', async () => {
  const { ports } = fixture()
  const sights = [sight('one', demo), sight('two', { ...demo, listeners: 1, peak: 1 })]
  const first = await tell(ports, sights, new Map(), false)
  expect(first.published).toMatchObject([
    {
      count: 4,
      icecasts: [
        { icecast: 'one', connections: 4, peak: 6 },
        { icecast: 'two', connections: 1, peak: 1 },
      ],
    },
  ])
  const second = await tell(ports, [sights[0]!, { icecast: 'two', mounts: null }], first.told, false)
  expect(second.published[0]).toMatchObject({ count: 3, icecasts: [{}, { icecast: 'two', connections: null, peak: null }] })
  for (const message of [...first.published, ...second.published]) expect(listenerMetric.safeParse(message).success).toBe(true)
})

test('the monitors of both replicas are no listeners', async () => {
  const { ports } = fixture()
  const monitored = (monitors: number) => ({ monitors }) as StreamStatus
  const values = new Map([
    ['c1', monitored(1)],
    ['c1:standby', monitored(2)],
  ])
  const { published } = await tell({ ...ports, status: { values } }, [sight('one', demo)], new Map(), false)
  expect(published).toMatchObject([{ count: 1 }])
})

test('nor are those of the role icecast, which listens to both mounts while both are played', async () => {
  const { ports } = fixture()
  const playing = { monitors: 1, phase: 'on_air' } as StreamStatus
  const count = async (standby: StreamStatus) => {
    const status = {
      values: new Map([
        ['c1', playing],
        ['c1:standby', standby],
      ]),
    }
    return (await tell({ ...ports, status }, [sight('one', { ...demo, listeners: 9 })], new Map(), false)).published[0]?.count
  }
  expect(await count(playing)).toBe(5)
  expect(await count({ ...playing, phase: 'starting' })).toBe(7)
})

test('publishes nothing twice, and what the bus did not take again', async () => {
  const { ports, world } = fixture()
  const first = await tell(ports, [sight('one', demo)], new Map(), false)
  expect((await tell(ports, [sight('one', demo)], first.told, false)).published).toEqual([])
  const more = [sight('one', { ...demo, listeners: 5 })]
  world.busIsAway = true
  await expect(tell(ports, more, first.told, false)).rejects.toThrow('away')
  world.busIsAway = false
  expect((await tell(ports, more, first.told, false)).published).toMatchObject([{ count: 4 }])
})
