import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { memoryBus, type MemoryBus, type ServiceContext } from '@skipcast/bus'
import { stamp, type StreamCommand } from '@skipcast/contracts'
import { openDatabase, openStores, type Channel, type Stores } from '@skipcast/db'
import { PATIENT, testDatabase, type TestDatabase } from '@skipcast/db/testing'
import { freePort, healthBoard, meters, readConfig, silentLogger, startLoop, waitFor } from '@skipcast/runtime'
import { temporaryHome, type TemporaryHome } from '@skipcast/testing'
import { apiEnv, startApi } from '../src/api.ts'
import { musicRecord } from './test-api.ts'

const CHANNELS = 20
const HEARTBEAT_MS = 200
const SILENT_AFTER_MS = 1500
const TIMEOUT_MS = 30_000
const origin = { application: 'skipcast', environment: 'test' }

let home: TemporaryHome
let database: TestDatabase
let bus: MemoryBus
let stores: Stores
let owned: AsyncDisposableStack
const beating = new Set<string>()
/** Every command of each channel, in the order in which agents got them. */
const commands = new Map<string, StreamCommand[]>()

beforeAll(async () => {
  owned = new AsyncDisposableStack()
  home = owned.use(await temporaryHome())
  database = owned.use(await testDatabase())
  bus = owned.use(memoryBus())
  const client = owned.use(openDatabase(database.url, { logger: silentLogger(), patience: PATIENT }))
  stores = openStores(client, {
    toCommand: () => {
      throw new Error('The test gives no commands')
    },
  })
  const view = owned.use(bus.watch('streamCommands'))
  view.onChange((id) => {
    const command = id === null ? undefined : view.values.get(id)
    if (command) commands.set(command.channel_id, [...(commands.get(command.channel_id) ?? []), command])
  })
  owned.use(startLoop(() => beat(), { everyMs: HEARTBEAT_MS, onError: () => {} }))
}, 60_000)

afterAll(async () => {
  await owned.disposeAsync()
})

/** The agents of all servers that live. */
async function beat(): Promise<void> {
  for (const id of beating) {
    const at = Date.now()
    const about = { server_id: id, started_at: 0, labels: {}, capacity: 100, load: 0, engines: 0, channels: 0, versions: {} }
    const value = { ...stamp(origin, at, `${id}.${at}`), event: 'server_heartbeat' as const, ...about }
    await bus.publish('serverHeartbeats', [{ key: id, value }])
  }
}

async function startOne(serverId: string) {
  const health = healthBoard()
  const context: ServiceContext = {
    bus,
    home,
    logger: silentLogger(),
    health,
    meters: meters(),
    serverId,
    origin,
    onStop: 'stop',
  }
  const { api } = readConfig(
    { api: apiEnv },
    {
      DATABASE_URL: database.url,
      API_PORT: `${await freePort()}`,
      SERVER_SILENT_AFTER_MS: `${SILENT_AFTER_MS}`,
      SERVER_GRACE_MS: '0',
      MOVES_PER_SECOND: '50',
    },
  )
  const running = await startApi(api, context)
  await waitFor('the API to answer', async () => (await fetch(`${running.url}/readyz`)).ok, { timeoutMs: TIMEOUT_MS })
  return { url: running.url, health, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
}

async function post(url: string, path: string): Promise<number> {
  const response = await fetch(url + path, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
  await response.arrayBuffer()
  return response.status
}

let token: string

async function offChannels(): Promise<string[]> {
  const admin = await stores.accounts.createUser({ username: 'somebody', role: 'admin' })
  token = (await stores.accounts.createToken(admin.id, 'test')).secret
  const media = await stores.media.add(musicRecord(admin.id))
  const texts = { name: 'x', description: '', mode: 'copy', bitrateKbps: 128, ownerId: admin.id } as const
  const ids: string[] = []
  for (let index = 0; index < CHANNELS; index++) {
    const { id } = await stores.channels.create({ ...texts, slug: `channel-${index}` })
    await stores.playlists.attach(id, [media.id], { ownerId: null })
    ids.push(id)
  }
  return ids
}

const all = () => stores.channels.listFrom('', 1000)
const placedOn = async (server: string) => (await all()).filter(({ serverId }) => serverId === server).length
const epochs = (channels: readonly Channel[]) => new Map(channels.map(({ id, epoch }) => [id, epoch]))

/** Waits until nobody is on the server, and tells how long that took; each of its channels moved once, no other did. */
async function untilEmpty(server: string): Promise<string> {
  const before = await all()
  const startedAt = performance.now()
  await waitFor(`${server} to be empty`, async () => (await placedOn(server)) === 0, { timeoutMs: TIMEOUT_MS, everyMs: 20 })
  const elapsedMs = Math.round(performance.now() - startedAt)
  const after = epochs(await all())
  for (const { id, epoch, serverId } of before) expect(after.get(id)).toBe(serverId === server ? epoch + 1 : epoch)
  return `${before.filter(({ serverId }) => serverId === server).length} channels after ${elapsedMs} ms`
}

test('two API processes place each channel once; servers are lost, drained and come back; a leader goes; no epoch is given twice', async () => {
  const told: string[] = []
  await using first = await startOne('api-1')
  await using second = await startOne('api-2')
  for (const id of ['a', 'b', 'c']) beating.add(id)
  const ids = await offChannels()
  await Promise.all(
    ids.map(async (id, index) =>
      expect(await post([first, second][index % 2]!.url, `/api/channels/${id}/stream/start`)).toBe(202),
    ),
  )
  const placed = async () => (await all()).every(({ serverId }) => serverId !== null)
  await waitFor('all to be placed', placed, { timeoutMs: TIMEOUT_MS })
  expect(new Set(epochs(await all()).values())).toEqual(new Set([1]))

  beating.delete('a')
  told.push(`a server lost: ${await untilEmpty('a')} (silent for ${SILENT_AFTER_MS} of these)`)
  beating.add('a')
  await waitFor('it to be heard again', async () => (await get(second.url, 'a')).state === 'open', { timeoutMs: TIMEOUT_MS })
  expect(await placedOn('a')).toBe(0) // nothing moves without need

  expect(await post(second.url, '/api/servers/b/drain')).toBe(202)
  told.push(`a server drained: ${await untilEmpty('b')}`)
  expect(await get(second.url, 'b')).toMatchObject({ state: 'draining', placed: { channels: 0 }, drain: { by: 'somebody' } })
  expect(await post(second.url, '/api/servers/b/undrain')).toBe(200)
  await waitFor('it to be open again', async () => (await get(second.url, 'b')).state === 'open', { timeoutMs: TIMEOUT_MS })

  await first[Symbol.asyncDispose]() // it led
  beating.delete('c')
  told.push(`a server lost under the next leader: ${await untilEmpty('c')}`)

  const rest = (await all()).filter(({ serverId }) => serverId !== null)
  beating.clear()
  await waitFor('the API to suspect itself', () => second.health.read()['failover']?.ok === false, { timeoutMs: TIMEOUT_MS })
  expect((await fetch(`${second.url}/readyz`)).status).toBe(503)
  expect(epochs(await all())).toEqual(epochs(rest))
  for (const id of ['a', 'b']) beating.add(id)
  await waitFor('it to trust itself again', () => second.health.read()['failover']?.ok === true, { timeoutMs: TIMEOUT_MS })

  for (const history of commands.values()) {
    const servers = new Map<number, Set<string | null>>()
    for (const { epoch, server_id: server } of history) servers.set(epoch, (servers.get(epoch) ?? new Set()).add(server))
    for (const [epoch, of] of servers) expect([epoch, of.size]).toEqual([epoch, 1])
  }
  process.stdout.write(`failover: ${told.join('; ')}\n`)
}, 180_000)

async function get(url: string, server: string): Promise<{ id: string; state: string }> {
  const response = await fetch(`${url}/api/servers`, { headers: { authorization: `Bearer ${token}` } })
  const { data } = (await response.json()) as { data: { id: string; state: string }[] }
  return data.find(({ id }) => id === server)!
}
