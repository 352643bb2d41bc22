import { fork, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { busEnv, kafkaBus, kafkaInspector, type BusConfig } from '@skipcast/bus'
import { openDatabase, openStores, type Stores, type ToCommand } from '@skipcast/db'
import type { StreamCommand } from '@skipcast/contracts'
import { testDatabase } from '@skipcast/db/testing'
import { healthBoard, silentLogger, waitFor } from '@skipcast/runtime'
import { testBroker } from '../../../packages/bus/test/test-broker.ts'
import { toStreamCommand } from '../src/domain/stream-command.ts'
import { STRAGGLERS_MS } from '../src/relay-outbox.ts'
import type { RelayOrder } from './relay-process.ts'
import { musicRecord } from './test-api.ts'

/** In CI 40; a nightly run sets 1,000. */
const KILLS = Number(process.env['OUTBOX_KILLS'] ?? 40)
const CHANNELS = 12
/** The one that leads, and those that have started meanwhile and wait for their turn. */
const PROCESSES = 4
/** A relay lives so long at most, from its first command on. */
const MAX_LIFE_MS = 60
/** Between two commands of one channel. */
const PAUSE_MS = 10

const RELAY = fileURLToPath(new URL('relay-process.ts', import.meta.url))
const logger = silentLogger()
const toCommand: ToCommand = (channel, tracks, at) =>
  toStreamCommand(
    { origin: { application: 'skipcast', environment: 'test' }, signingKey: 'k'.repeat(32), lastTold: () => undefined },
    channel,
    tracks,
    at,
  )

test(`${KILLS} times killed at a random moment, the relay loses nothing, keeps each channel's order, and nothing takes effect twice`, async () => {
  await using server = await testDatabase()
  await using broker = await testBroker()
  await using database = openDatabase(server.url, { logger })
  const stores = openStores(database, { toCommand })
  const config = busEnv.parse({ KAFKA_BROKER: broker.address })
  await using bus = kafkaBus(config, { logger, health: healthBoard() })
  await using view = bus.watch('streamCommands')
  await view.caughtUp
  const seen = new Map<string, number[]>()
  view.onChange((id) => {
    const command = id === null ? undefined : view.values.get(id)
    if (command) seen.set(command.channel_id, [...(seen.get(command.channel_id) ?? []), command.generation])
  })

  const ids = await offChannels(stores, CHANNELS)
  const acknowledged = new Map<string, number>()
  const stop = new AbortController()
  const writing = ids.map(async (id) => {
    while (!stop.signal.aborted) {
      const { generation } = await stores.channels.change(id, ({ wanted }) => ({ wanted: wanted === 'on' ? 'off' : 'on' }))
      acknowledged.set(id, generation)
      await sleep(PAUSE_MS)
    }
  })
  const order = { databaseUrl: server.url, broker: broker.address }
  const began = performance.now()
  await using relays = await relayQueue(order)
  let kills = 0
  while (kills < KILLS) {
    const relay = await relays.nextRelaying()
    await sleep(Math.random() * MAX_LIFE_MS)
    relays.kill(relay)
    kills += 1
  }
  const seconds = (performance.now() - began) / 1000
  stop.abort()
  await Promise.all(writing)

  const left = () => server.query<{ problem: string | null }>('SELECT problem FROM outbox')
  await waitFor('the outbox to be empty', async () => (await left()).length === 0, { timeoutMs: 60_000 })
  for (const id of ids) {
    const last = acknowledged.get(id)!
    // What a killed process had sent may come last; then the next tells again.
    await waitFor('the last command', () => view.values.get(id)?.generation === last, { timeoutMs: STRAGGLERS_MS + 30_000 })
    expect(seen.get(id)).toEqual(seen.get(id)!.toSorted((a, b) => a - b)) // what comes late changes nothing
  }
  const heard = await everything(config)
  for (const id of ids) expect(orderedPart(heard.get(id)!)).toBe(acknowledged.get(id))
  const count = (of: (generations: number[]) => number) => ids.reduce((sum, id) => sum + of(heard.get(id)!), 0)
  const commands = ids.reduce((sum, id) => sum + acknowledged.get(id)!, 0)
  const again = count((generations) => generations.length) - commands
  process.stdout.write(
    `outbox: ${kills} kills in ${seconds.toFixed(0)} s, ${commands} commands, ${again} of them told again, none lost\n`,
  )
}, 1_200_000)

/** How many commands came in the order of their generations, from 1 on: each at least once after the one before. */
function orderedPart(generations: readonly number[]): number {
  return generations.reduce((last, generation) => (generation === last + 1 ? generation : last), 0)
}

/** By channel, the generations of all commands that stand on the topic, superseded ones too. */
async function everything(config: BusConfig): Promise<Map<string, number[]>> {
  await using inspector = kafkaInspector(config, logger)
  const heard = new Map<string, number[]>()
  await inspector.read({
    topicNames: [config.topicNames.streamCommands],
    what: 'everything',
    signal: new AbortController().signal,
    onRecord({ message }) {
      const { channel_id: id, generation } = JSON.parse(String(message.value)) as StreamCommand
      heard.set(id, [...(heard.get(id) ?? []), generation])
    },
  })
  return heard
}

async function offChannels(stores: Stores, count: number): Promise<string[]> {
  const owner = await stores.accounts.createUser({ username: 'owner', role: 'dj' })
  const media = await stores.media.add(musicRecord(owner.id))
  const texts = { name: 'x', description: '', mode: 'copy', bitrateKbps: 128 } as const
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const { id } = await stores.channels.create({ ...texts, ownerId: owner.id, slug: `channel-${index}` })
      await stores.playlists.attach(id, [media.id], { ownerId: null })
      return id
    }),
  )
}

/** Relay processes in line for the lead: as one is killed, the next has it at once, and another is started. */
async function relayQueue(order: RelayOrder) {
  // Where the first leave what they made of the source, the others start in half the time.
  const cache = await mkdtemp(join(tmpdir(), 'skipcast-relays-'))
  const living = new Set<ChildProcess>()
  let relaying = Promise.withResolvers<ChildProcess>()
  const start = () => {
    const child = fork(RELAY, { stdio: 'ignore', env: { ...process.env, NODE_COMPILE_CACHE: cache } })
    living.add(child)
    child.send(order)
    child.once('message', () => relaying.resolve(child))
    child.once('exit', () => living.delete(child))
  }
  for (let count = 0; count < PROCESSES; count++) start()
  return {
    nextRelaying: () => relaying.promise,
    kill(child: ChildProcess) {
      relaying = Promise.withResolvers()
      child.kill('SIGKILL')
      start()
    },
    async [Symbol.asyncDispose]() {
      const ended = [...living].map((child) => new Promise((resolve) => child.once('exit', resolve)))
      for (const child of living) child.kill('SIGKILL')
      await Promise.all(ended)
      await rm(cache, { recursive: true, force: true })
    },
  }
}
