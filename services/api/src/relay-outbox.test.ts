import { expect, test } from '@jest/globals'
import { memoryBus } from '@skipcast/bus'
import { stamp, type StreamCommand } from '@skipcast/contracts'
import type { Channel, Outbox, OutboxEntry } from '@skipcast/db'
import { AppError, silentLogger } from '@skipcast/runtime'
import { outboxRelay, STRAGGLERS_MS } from './relay-outbox.ts'

const stop = (channelId: string, generation: number): StreamCommand => ({
  ...stamp({ application: 'skipcast', environment: 'test' }, 1000, `${channelId}:${generation}`),
  event: 'stop_stream',
  channel_id: channelId,
  channel_slug: channelId,
  generation,
  epoch: 0,
  server_id: null,
  mount: `/${channelId}`,
})

/** The table as a list, and what was asked of it. */
function listOutbox(entries: Omit<OutboxEntry, 'id' | 'createdAt'>[], perBatch = 3) {
  const waiting: OutboxEntry[] = entries.map((entry, index) => ({ id: `${index}`, createdAt: new Date(), ...entry }))
  const problems = new Map<string, string>()
  const fail = { onForget: false, onConfirm: false }
  const outbox: Outbox = {
    async exchange(forget, held) {
      if (fail.onForget && forget.length > 0) throw new AppError('DATABASE_UNAVAILABLE', 'gone')
      for (const entry of forget) waiting.splice(waiting.indexOf(entry), 1)
      return waiting.filter((entry) => !problems.has(entry.id) && !held.includes(entry)).slice(0, perBatch)
    },
    setAside: async (entry, problem) => void problems.set(entry.id, problem),
    async confirmLead() {
      if (fail.onConfirm) throw new AppError('DATABASE_UNAVAILABLE', 'no leader any more')
    },
  }
  return { outbox, waiting, problems, fail }
}

function setUp(entries: Omit<OutboxEntry, 'id' | 'createdAt'>[], wanted: Channel[] = [], perBatch = 3) {
  const bus = memoryBus()
  const published: string[] = []
  const recording = Object.assign(Object.create(bus) as typeof bus, {
    async publish(...[topic, records]: Parameters<typeof bus.publish>) {
      await bus.publish(topic, records)
      for (const { key, value } of records) published.push(value === null ? `${key} gone` : (value as StreamCommand).id)
    },
  })
  const list = listOutbox(entries, perBatch)
  let now = 0
  const relay = outboxRelay({
    outbox: list.outbox,
    bus: recording,
    channels: {
      listWanted: async (after) =>
        wanted.filter(({ id, wanted: state }) => id > after && state !== 'off').map((channel) => ({ channel, tracks: [] })),
      listCommandedSince: async (since) => wanted.filter(({ commandedAt }) => commandedAt! >= since).map(({ id }) => id),
      listStates: async (ids) => wanted.filter(({ id }) => ids.includes(id)).map((channel) => ({ channel, tracks: [] })),
    },
    onRelayed: () => {},
    toCommand: (channel) => stop(channel.id, channel.generation),
    logger: silentLogger(),
    clock: () => now,
  })
  return { ...list, bus, published, relay, wait: (ms: number) => void (now += ms) }
}

const entry = (channelId: string, generation: number) => ({
  topic: 'streamCommands',
  key: channelId,
  payload: stop(channelId, generation),
})

test('entries reach the bus in the order of their commits, and are forgotten', async () => {
  const { relay, published, waiting } = setUp([
    entry('a', 1),
    entry('b', 1),
    entry('a', 2),
    entry('a', 3),
    { ...entry('b', 2), payload: null },
  ])
  await relay()
  expect(published).toEqual(['a:1', 'b:1', 'a:2', 'a:3', 'b gone'])
  expect(waiting).toEqual([])
})

test('while the bus is away nothing is forgotten, and passes wait ever longer', async () => {
  const { relay, bus, published, waiting, wait } = setUp([entry('a', 1)])
  bus.outage(true)
  await relay()
  bus.outage(false)
  await relay() // too early: nothing is tried
  expect(waiting).toHaveLength(1)
  wait(200)
  await relay()
  expect(published).toEqual(['a:1'])
  expect(waiting).toEqual([])
})

test('a crash between publishing and forgetting publishes again, and loses nothing', async () => {
  const { relay, fail, published, waiting } = setUp([entry('a', 1), entry('a', 2)])
  fail.onForget = true
  await expect(relay()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  fail.onForget = false
  await relay()
  expect(published).toEqual(['a:1', 'a:2', 'a:1', 'a:2'])
  expect(waiting).toEqual([])
})

test('what the bus can never take is set aside with the reason, and holds up nobody', async () => {
  const broken = { topic: 'streamCommands', key: 'b', payload: { event: 'nonsense' } }
  const { relay, published, waiting, problems } = setUp([
    entry('a', 1),
    broken,
    { ...entry('c', 1), topic: 'noSuchTopic' },
    entry('a', 2),
  ])
  await relay()
  expect(published).toEqual(['a:1', 'a:2'])
  expect(waiting.map(({ key }) => key)).toEqual(['b', 'c'])
  expect([...problems.keys()]).toEqual(['1', '2'])
})

test('every wanted channel is published anew by a fresh leader, and only once', async () => {
  const channel = (id: string) => ({ id, generation: 4, commandedAt: new Date(1), updatedAt: new Date(1) }) as Channel
  const { relay, published } = setUp([entry('a', 5)], [channel('a'), channel('b')])
  await relay()
  await relay()
  expect(published).toEqual(['a:4', 'b:4', 'a:5'])
})

test('what is long is read ahead, each entry is published once and forgotten, in order', async () => {
  const entries = Array.from({ length: 730 }, (_, index) => entry(`channel-${index % 7}`, Math.floor(index / 7)))
  const { relay, published, waiting } = setUp(entries, [], 200)
  await relay()
  expect(published).toEqual(entries.map(({ payload }) => payload.id))
  expect(waiting).toEqual([])
})

test('a command that a lost leader’s late one could have covered is told again, once', async () => {
  const { relay, published, wait } = setUp(
    [entry('a', 1), entry('b', 1)],
    [{ id: 'b', generation: 1, commandedAt: new Date(1), updatedAt: new Date(1) } as Channel],
  )
  await relay()
  published.length = 0
  await relay()
  expect(published).toEqual([])
  wait(STRAGGLERS_MS)
  await relay()
  await relay()
  expect(published).toEqual(['a gone', 'b:1'])
})

test('what is no command is published once, and its key is no channel that is gone', async () => {
  const mail = { ...stamp({ application: 'skipcast', environment: 'test' }, 1000, 'mail'), sealed: 'x', expires_at: 1 }
  const { relay, published, wait } = setUp([{ topic: 'mails', key: 'a', payload: { ...mail, event: 'mail_requested' } }])
  await relay()
  wait(STRAGGLERS_MS)
  await relay()
  expect(published).toEqual(['mail'])
})

test('a command that the leader before published and did not live to tell again is told again by the next', async () => {
  const stopped = { id: 'a', generation: 2, wanted: 'off', commandedAt: new Date(), updatedAt: new Date(1) } as Channel
  const { relay, published, wait } = setUp([], [stopped])
  await relay()
  published.length = 0
  wait(STRAGGLERS_MS)
  await relay()
  await relay()
  expect(published).toEqual(['a:2'])
})

test('who lost the lead while it read the wanted channels publishes none of them', async () => {
  const channel = { id: 'a', generation: 4, commandedAt: new Date(1), updatedAt: new Date(1) } as Channel
  const { relay, published, fail } = setUp([], [channel])
  fail.onConfirm = true
  await expect(relay()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  expect(published).toEqual([])
})

test('what was commanded lately is told again after an outage, as something old may come late', async () => {
  const channel = { id: 'a', generation: 7, wanted: 'off', commandedAt: new Date() } as Channel
  const { bus, relay, published, wait, waiting } = setUp([], [channel])
  await relay()
  wait(STRAGGLERS_MS)
  await relay()
  published.length = 0
  waiting.push({ id: 'later', createdAt: new Date(), ...entry('a', 7) })
  bus.outage(true)
  await relay()
  bus.outage(false)
  wait(3000)
  await relay()
  expect(published).toEqual(['a:7'])
  wait(STRAGGLERS_MS) // as long as the outage lasted, it may come still
  await relay()
  expect(published).toEqual(['a:7'])
  wait(3000)
  await relay()
  await relay()
  expect(published).toEqual(['a:7', 'a:7'])
})
