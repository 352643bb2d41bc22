import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { memoryBus, type MemoryBus } from '@skipcast/bus'
import type { StreamCommand } from '@skipcast/contracts'
import {
  leadership,
  openDatabase,
  openStores,
  OUTBOX_CHANNEL,
  outboxOf,
  type Database,
  type Stores,
  type ToCommand,
} from '@skipcast/db'
import { testDatabase, type TestDatabase } from '@skipcast/db/testing'
import { silentLogger, startLoop, waitFor } from '@skipcast/runtime'
import { toStreamCommand } from '../src/domain/stream-command.ts'
import { outboxRelay, STRAGGLERS_MS } from '../src/relay-outbox.ts'
import { musicRecord } from './test-api.ts'

let server: TestDatabase
let database: Database
let stores: Stores
const logger = silentLogger()
const toCommand: ToCommand = (channel, tracks, at) =>
  toStreamCommand(
    { origin: { application: 'skipcast', environment: 'test' }, signingKey: 'k'.repeat(32), lastTold: () => undefined },
    channel,
    tracks,
    at,
  )

beforeAll(async () => {
  server = await testDatabase()
  database = openDatabase(server.url, { logger })
  stores = openStores(database, { toCommand })
}, 60_000)

afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

/** Remembers all that was published, in order: `channel:generation`, or `channel gone`. */
function recordingBus(): MemoryBus & { readonly published: string[] } {
  const bus = memoryBus()
  const published: string[] = []
  return {
    ...bus,
    published,
    async publish(topic, records) {
      await bus.publish(topic, records)
      for (const { key, value } of records) published.push(value === null ? `${key} gone` : (value as StreamCommand).id)
    },
  }
}

function relayTo(bus: MemoryBus): AsyncDisposable {
  return leadership({
    database,
    logger,
    name: 'relay',
    channel: OUTBOX_CHANNEL,
    lead(session) {
      const clock = () => performance.now()
      const pass = outboxRelay({
        outbox: outboxOf(session),
        bus,
        channels: stores.channels,
        toCommand,
        logger,
        clock,
        onRelayed: () => {},
      })
      const loop = startLoop(pass, { everyMs: 1000, onError: () => {} })
      return { onNotify: () => loop.nudge(), [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose]() }
    },
  })
}

async function runningChannel(): Promise<string> {
  const owner = await stores.accounts.createUser({ username: Math.random().toString(36), role: 'dj' })
  const slug = Math.random().toString(36).slice(2)
  const { id } = await stores.channels.create({
    ownerId: owner.id,
    name: 'x',
    slug,
    description: '',

    mode: 'copy',
    bitrateKbps: 128,
  })
  const media = await stores.media.add(musicRecord(owner.id))
  await stores.playlists.attach(id, [media.id], { ownerId: null })
  await stores.channels.change(id, () => ({ wanted: 'on' }))
  return id
}

const left = async () =>
  (await server.query<{ count: number }>('SELECT count(*)::int FROM outbox WHERE problem IS NULL'))[0]!.count
const drained = () => waitFor('the outbox to be empty', async () => (await left()) === 0, { timeoutMs: 30_000 })

test('a commit is on the bus within moments, by notification', async () => {
  const bus = recordingBus()
  const id = await runningChannel()
  await using _relay = relayTo(bus)
  await waitFor('the first commands', () => bus.published.includes(`${id}:1`), { timeoutMs: 10_000 })
  const latencies: number[] = []
  for (let generation = 2; generation < 52; generation++) {
    await stores.channels.change(id, () => ({ name: `n${generation}` }))
    const committed = performance.now()
    await waitFor('it to be published', () => bus.published.includes(`${id}:${generation}`), { timeoutMs: 5000, everyMs: 1 })
    latencies.push(performance.now() - committed)
  }
  const [p50, p99] = [0.5, 0.99].map((part) => latencies.toSorted((a, b) => a - b)[Math.floor(part * latencies.length)]!)
  process.stdout.write(`outbox: commit to bus p50 ${p50!.toFixed(1)} ms, p99 ${p99!.toFixed(1)} ms (n=${latencies.length})\n`)
  expect(p50).toBeLessThan(500) // the timer alone would take half a second
})

test('the order of commits holds where their numbers get longer', async () => {
  const bus = recordingBus()
  const id = await runningChannel()
  await server.query(`SELECT setval('outbox_id_seq', (10 ^ (1 + floor(log(max(id) + 100))) - 10)::bigint) FROM outbox`)
  for (let i = 0; i < 20; i++) await stores.channels.change(id, () => ({ name: `n${i}` }))
  await using _relay = relayTo(bus)
  await drained()
  const mine = bus.published.filter((message) => message.startsWith(id))
  expect(mine.slice(1)).toEqual(Array.from({ length: 21 }, (_, i) => `${id}:${i + 1}`))
})

test('while the bus is away commits succeed, and all arrives in order when it is back', async () => {
  const bus = recordingBus()
  const id = await runningChannel()
  bus.outage(true)
  await using _relay = relayTo(bus)
  for (let i = 0; i < 20; i++) await stores.channels.change(id, () => ({ name: `n${i}` }))
  expect(bus.published).toEqual([])
  expect(await left()).toBe(21)
  bus.outage(false)
  await drained()
  const mine = bus.published.filter((message) => message.startsWith(id))
  expect(mine.slice(1)).toEqual(Array.from({ length: 21 }, (_, i) => `${id}:${i + 1}`)) // the first is the rebuilt state
})

test('with its connection cut and the bus gone at random moments, nothing is lost and every channel’s order holds', async () => {
  const bus = recordingBus()
  const commands = bus.watch('streamCommands')
  const ids = await Promise.all(Array.from({ length: 6 }, runningChannel))
  await using _relay = relayTo(bus)
  await using _other = relayTo(bus) // a second process, waiting for its turn
  const stop = new AbortController()
  const trouble = (async () => {
    while (!stop.signal.aborted) {
      await new Promise((resume) => setTimeout(resume, Math.random() * 40))
      if (Math.random() < 0.5)
        await server.query(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted`)
      else bus.outage(Math.random() < 0.5)
    }
  })()
  await Promise.all(
    ids.map(async (id) => {
      for (let i = 0; i < 60; i++)
        await stores.channels.change(id, ({ wanted }) => (wanted === 'on' ? { wanted: 'off' } : { wanted: 'on' }))
    }),
  )
  stop.abort()
  await trouble
  bus.outage(false)
  await drained()

  for (const id of ids) {
    const generations = bus.published
      .filter((message) => message.startsWith(`${id}:`))
      .map((message) => Number(message.split(':')[1]))
    const firsts = [...new Set(generations)]
    expect(new Set(firsts)).toEqual(new Set(Array.from({ length: 61 }, (_, i) => i + 1)))
    // What a leader had sent when it lost its connection may have come last; then it is told again.
    await waitFor('the last generation', () => commands.values.get(id)?.generation === 61, {
      timeoutMs: STRAGGLERS_MS + 10_000,
    })
  }
}, 60_000)

test('a deleted channel leaves the topic', async () => {
  const bus = recordingBus()
  const commands = bus.watch('streamCommands')
  const id = await runningChannel()
  await using _relay = relayTo(bus)
  await waitFor('the command', () => commands.values.has(id), { timeoutMs: 10_000 })
  await stores.channels.remove(id)
  await waitFor('it to be gone', () => !commands.values.has(id), { timeoutMs: 10_000 })
})
