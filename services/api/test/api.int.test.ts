import { connect, createServer } from 'node:net'
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { memoryBus, type MemoryBus, type ServiceContext } from '@skipcast/bus'
import { stamp } from '@skipcast/contracts'
import { testDatabase, type TestDatabase } from '@skipcast/db/testing'
import { mediaEnv, startMedia } from '@skipcast/media'
import { findDaemon, freePort, healthBoard, meters, readConfig, silentLogger, startLoop, waitFor } from '@skipcast/runtime'
import { temporaryHome, toneFile, type TemporaryHome } from '@skipcast/testing'
import { apiEnv, startApi, type Api } from '../src/api.ts'

let home: TemporaryHome
let database: TestDatabase
let bus: MemoryBus
let owned: AsyncDisposableStack

beforeEach(async () => {
  home = await temporaryHome()
  database = await testDatabase()
  bus = memoryBus()
  owned = new AsyncDisposableStack()
}, 60_000)

afterEach(async () => {
  await owned.disposeAsync()
  await bus[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

function context(serverId = 'one'): ServiceContext {
  const origin = { application: 'skipcast', environment: 'test' }
  return { bus, home, logger: silentLogger(), health: healthBoard(), meters: meters(), serverId, origin, onStop: 'stop' }
}

async function start(environment: Record<string, string> = {}, given = context()): Promise<Api> {
  const { api } = readConfig({ api: apiEnv }, { DATABASE_URL: database.url, API_PORT: `${await freePort()}`, ...environment })
  return owned.use(await startApi(api, given))
}

// oxlint-disable-next-line typescript/no-explicit-any -- the response schemas guard the shapes
type Answer = { status: number; body: any; headers: Headers }

async function call(api: Api, method: string, path: string, body?: object, token?: string): Promise<Answer> {
  const isForm = body instanceof FormData
  const response = await fetch(api.url + path, {
    method,
    headers: {
      authorization: `Bearer ${token ?? (await adminToken())}`,
      ...(body && (isForm ? { prefer: 'wait=60' } : { 'content-type': 'application/json' })),
    },
    ...(body && { body: isForm ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text.startsWith('{') ? JSON.parse(text) : text }
}

const adminToken = async () => (await readFile(join(home.path, 'admin-token'), 'utf8').catch(() => 'none')).trim()
const status = async (api: Api, path: string) => (await call(api, 'GET', path)).status
const ready = (api: Api) =>
  waitFor('the API to be ready', async () => (await status(api, '/readyz')) === 200, { timeoutMs: 30_000 })

let worksFor: AsyncDisposableStack | undefined
/** The role media beside the API of this test. */
async function withWorker(): Promise<void> {
  if (worksFor !== owned) owned.use(await startMedia(readConfig({ media: mediaEnv }, {}).media, context()))
  worksFor = owned
}

async function runningChannel(api: Api): Promise<string> {
  const form = new FormData()
  const file = await readFile(await toneFile(join(home.path, 'tone.mp3'), { frequencyHz: 440, seconds: 1 }))
  form.set('media_file', new Blob([new Uint8Array(file)]), 'tone.mp3')
  await withWorker()
  const media = await call(api, 'POST', '/api/media/upload', form)
  const { body } = await call(api, 'POST', '/api/channels', { name: 'Radio' })
  await call(api, 'POST', `/api/channels/${body.channel.id}/media`, { media_ids: [media.body.id] })
  expect((await call(api, 'POST', `/api/channels/${body.channel.id}/stream/start`)).status).toBe(202)
  return body.channel.id
}

async function heartbeat(serverId: string, at = Date.now()): Promise<void> {
  const message = {
    ...stamp({ application: 'skipcast', environment: 'test' }, at, `${serverId}:${at}`),
    event: 'server_heartbeat' as const,
    server_id: serverId,
    started_at: at,
    labels: {},
    capacity: 100,
    load: 0,
    engines: 0,
    channels: 0,
    versions: {},
  }
  await bus.publish('serverHeartbeats', [{ key: serverId, value: message }])
}

/** A server that lives until disposed. */
function beating(serverId: string): AsyncDisposable {
  return startLoop(() => heartbeat(serverId), { everyMs: 100, onError: () => {} })
}

test('the first start makes an administrator, whose token lies in a file of its owner’s alone', async () => {
  const api = await start()
  await ready(api)
  const path = join(home.path, 'admin-token')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await adminToken()).toMatch(/^sk_[A-Za-z0-9_-]{43}$/)
  expect(await status(api, '/api/media')).toBe(200)
})

test('a later start keeps the token; where its file is lost there is a new one, and the old one ends', async () => {
  const first = await start()
  await ready(first)
  const old = await adminToken()
  await ready(await start())
  expect(await adminToken()).toBe(old)
  await rm(join(home.path, 'admin-token'))
  const third = await start()
  await ready(third)
  expect(await adminToken()).not.toBe(old)
  expect((await call(third, 'GET', '/api/media', undefined, old)).status).toBe(401)
  expect(await status(third, '/api/media')).toBe(200)
})

test('a taken port is a clear error that names the port and its variable', async () => {
  const port = await freePort()
  const other = createServer().listen(port, '127.0.0.1')
  await expect(start({ API_PORT: `${port}` })).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: expect.stringMatching(new RegExp(`${port}.*API_PORT`)),
  })
  other.close()
})

test('without a database it starts, says which is missing, and answers 503 with Retry-After', async () => {
  const api = await start({ DATABASE_URL: 'postgresql://nobody:x@127.0.0.1:1/none' })
  expect(await status(api, '/healthz')).toBe(200)
  const answer = await call(api, 'GET', '/api/channels')
  expect([answer.status, answer.body.error]).toEqual([503, 'DATABASE_UNAVAILABLE'])
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  const readyz = await call(api, 'GET', '/readyz')
  expect(readyz.status).toBe(503)
  expect(readyz.body.dependencies.database.ok).toBe(false)
})

test('a PostgreSQL of its own is killed: 503 meanwhile, then everything goes on by itself', async () => {
  const api = await start({ DATABASE_URL: '' })
  await ready(api)
  const commands = bus.watch('streamCommands')
  const id = await runningChannel(api)
  await waitFor('the command', () => commands.values.has(id), { timeoutMs: 10_000 })

  const server = (await findDaemon(join(home.path, 'postgres', 'postgres.json')))!
  process.kill(server.pid, 'SIGKILL')
  const seen = new Set<number>()
  await waitFor(
    '503, and then 202 again',
    async () => {
      seen.add((await call(api, 'POST', `/api/channels/${id}/stream/stop`)).status)
      return seen.has(503) && seen.has(202)
    },
    { timeoutMs: 30_000, everyMs: 5 },
  )
  expect([...seen].toSorted((a, b) => a - b)).toEqual([202, 503])
  await waitFor('the stop to be published', () => commands.values.get(id)?.event === 'stop_stream', { timeoutMs: 30_000 })
  await ready(api)
}, 90_000)

test('with the bus away a start is still taken, and published when it is back', async () => {
  const api = await start()
  await ready(api)
  const commands = bus.watch('streamCommands')
  await runningChannel(api) // its piece is imported while there is a bus
  bus.outage(true)
  const id = await runningChannel(api)
  expect(commands.values.has(id)).toBe(false)
  bus.outage(false)
  await waitFor('the command', () => commands.values.get(id)?.event === 'start_stream', { timeoutMs: 15_000 })
}, 30_000)

test('a new process tells a bus that lost everything what is wanted', async () => {
  const first = await start()
  await ready(first)
  const id = await runningChannel(first)
  await first[Symbol.asyncDispose]()
  await bus[Symbol.asyncDispose]()
  bus = memoryBus()
  const commands = bus.watch('streamCommands')
  await start()
  await waitFor('the wanted channel', () => commands.values.get(id)?.event === 'start_stream', { timeoutMs: 15_000 })
  expect(commands.values.get(id)!.generation).toBe(1)
})

test('a channel that waits is placed when a server appears, and a server that falls silent is told', async () => {
  const api = await start({ SERVER_SILENT_AFTER_MS: '1000' })
  await ready(api)
  const id = await runningChannel(api)
  const stream = async () => (await call(api, 'GET', `/api/channels/${id}/stream/status`)).body.stream
  expect(await stream()).toMatchObject({ phase: 'placing', server: null, epoch: 0 })
  {
    await using _server = beating('late')
    await waitFor('it to be placed', async () => (await stream()).server === 'late', { timeoutMs: 10_000 })
    expect(await stream()).toMatchObject({ phase: 'starting', epoch: 1 })
  }
  await waitFor('the silence to be seen', async () => (await stream()).last_error?.code === 'SERVER_SILENT', {
    timeoutMs: 10_000,
  })
  expect((await stream()).phase).toBe('failing')
  await using _again = beating('late')
  await waitFor('it to be heard again', async () => (await stream()).phase === 'starting', { timeoutMs: 10_000 })
}, 30_000)

test('while the bus is away no server is called silent: it is said that what is shown is old', async () => {
  const api = await start({ SERVER_SILENT_AFTER_MS: '1500' })
  await ready(api)
  await using _server = beating('one')
  const id = await runningChannel(api)
  const stream = async () => (await call(api, 'GET', `/api/channels/${id}/stream/status`)).body.stream
  await waitFor('it to be placed', async () => (await stream()).server === 'one', { timeoutMs: 10_000 })
  const seen = new Set<string>()
  const look = async () => {
    const { stale, last_error: error } = await stream()
    seen.add(`${stale} ${error?.code ?? 'fine'}`)
    return { stale }
  }
  const watchFor = (timeMs: number) => {
    const until = performance.now() + timeMs
    return waitFor('time to pass', async () => (await look()) && performance.now() > until, { timeoutMs: timeMs + 5000 })
  }
  bus.outage(true)
  await watchFor(2500) // much longer than a server may be silent
  bus.outage(false)
  await watchFor(1500)
  await waitFor('it to be fresh again', async () => !(await look()).stale, { timeoutMs: 10_000 })
  expect([...seen].toSorted()).toEqual(['false fine', 'true BUS_UNREACHABLE'])
}, 30_000)

test('a heartbeat that stood on the topic from long ago places nothing', async () => {
  await heartbeat('dead', Date.now() - 60_000)
  const api = await start()
  await ready(api)
  const id = await runningChannel(api)
  expect((await call(api, 'GET', `/api/channels/${id}/stream/status`)).body.stream.phase).toBe('placing')
})

test('of two API processes one relays and places, and the other takes over when it ends', async () => {
  const first = await start()
  await ready(first)
  const second = await start({}, context('two'))
  await ready(second)
  await using _server = beating('one')
  const id = await runningChannel(second)
  const commands = bus.watch('streamCommands')
  await waitFor('it to be placed', () => commands.values.get(id)?.epoch === 1, { timeoutMs: 10_000 })
  await first[Symbol.asyncDispose]()
  await call(second, 'POST', `/api/channels/${id}/stream/stop`)
  await waitFor('the stop', () => commands.values.get(id)?.event === 'stop_stream', { timeoutMs: 10_000 })
})

test('an upload that breaks off, or that a stop cuts off, leaves nothing', async () => {
  const api = await start()
  await ready(api)
  const incoming = join(home.path, 'media', 'incoming', 'one')
  const beginUpload = async () => {
    const head = [
      'POST /api/media/upload HTTP/1.1',
      'host: x',
      `authorization: Bearer ${await adminToken()}`,
      'content-type: multipart/form-data; boundary=b',
      'content-length: 1000000',
    ]
    const part = '--b\r\ncontent-disposition: form-data; name="media_file"; filename="x.mp3"\r\n\r\n'
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.write(`${head.join('\r\n')}\r\n\r\n${part}${'x'.repeat(200_000)}`)
    await waitFor('the upload to arrive', async () => (await readdir(incoming)).length === 1, { timeoutMs: 10_000 })
    return socket
  }
  ;(await beginUpload()).destroy()
  await waitFor('it to be cleared away', async () => (await readdir(incoming)).length === 0, { timeoutMs: 10_000 })
  await beginUpload()
  await api[Symbol.asyncDispose]()
  await waitFor('it to be cleared away', async () => (await readdir(incoming)).length === 0, { timeoutMs: 10_000 })
}, 30_000)

test('listener counts of the bus are shown', async () => {
  const api = await start()
  await ready(api)
  const id = await runningChannel(api)
  const at = Date.now()
  const envelope = stamp({ application: 'skipcast', environment: 'test' }, at, 'count')
  const metric = {
    channel_id: id,
    channel_slug: 'x',
    mount: '/x',
    count: 12,
    peak: 20,
    bitrate_kbps: 128,
    title: null,
    uptime_s: 5,
  }
  await bus.publish('listenerMetrics', [{ key: id, value: { ...envelope, event: 'listener_count_update', ...metric } }])
  await waitFor(
    'the count',
    async () => (await call(api, 'GET', `/api/channels/${id}/stream/status`)).body.stream.listeners === 12,
    {
      timeoutMs: 10_000,
    },
  )
})

test('what engines tell is in the log of what was played, once, and counts become a history', async () => {
  const api = await start()
  await ready(api)
  const id = await runningChannel(api)
  const at = Date.now()
  const about = { channel_id: id, channel_slug: 'x', server_id: 'one', epoch: 1 }
  const play = (name: string, startedAt: number) => ({
    ...stamp({ application: 'skipcast', environment: 'test' }, startedAt, name),
    ...about,
    event: 'track_started' as const,
    track_play_id: name,
    media_id: 'm',
    title: `<b>${name}</b>`,
    artist: 'A',
    started_at: startedAt,
  })
  const values = [play('early', at - 5000), play('late', at), play('late', at), play('long ago', at - 2 * 86_400_000)]
  await bus.publish(
    'streamEvents',
    values.map((value) => ({ key: id, value })),
  )
  const plays = async (query = '') => (await call(api, 'GET', `/api/channels/${id}/track-plays${query}`)).body
  await waitFor('the log', async () => (await plays('?from=2020-01-01T00:00:00Z')).total === 3, { timeoutMs: 10_000 })
  expect(await plays()).toMatchObject({ total: 2, data: [{ id: 'late', title: '<b>late</b>', server: 'one' }, { id: 'early' }] })
  expect((await plays(`?to=${new Date(at).toISOString()}`)).total).toBe(1)

  const counted = { ...stamp({ application: 'skipcast', environment: 'test' }, at, 'count'), channel_id: id, channel_slug: 'x' }
  const metric = {
    event: 'listener_count_update' as const,
    mount: '/x',
    count: 7,
    peak: 9,
    bitrate_kbps: 128,
    title: null,
    uptime_s: 5,
  }
  await bus.publish('listenerMetrics', [{ key: id, value: { ...counted, ...metric } }])
  const metrics = (query = '') => call(api, 'GET', `/api/channels/${id}/metrics${query}`)
  await waitFor('the history', async () => (await metrics()).body.points.length === 1, { timeoutMs: 10_000 })
  expect((await metrics('?step=3600')).body).toMatchObject({ step: 3600, points: [{ min: 7, mean: 7, max: 7 }] })
})

test.each([
  ['metrics?step=59', /step/],
  ['metrics?from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z', /step/],
  ['metrics?from=yesterday', /from/],
  ['metrics?from=2026-13-01T00:00:00Z', /from/],
  ['track-plays?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', /from/],
  ['track-plays?sort=title', /sort/],
])('a bad question about the past is refused by the field’s name: %s', async (query, named) => {
  const api = await start()
  await ready(api)
  const { body } = await call(api, 'POST', '/api/channels', { name: 'Radio' })
  const answer = await call(api, 'GET', `/api/channels/${body.channel.id}/${query}`)
  expect([answer.status, answer.body.error]).toEqual([400, 'BAD_REQUEST'])
  expect(answer.body.message).toMatch(named)
})

test('Prometheus is told of channels, servers, the outbox, requests and listeners', async () => {
  const api = await start()
  await ready(api)
  await using _server = beating('studio')
  const id = await runningChannel(api)
  const text = async () => String((await call(api, 'GET', '/metrics')).body)
  await waitFor('the relay', async () => /skipcast_outbox_relay_seconds_count [1-9]/.test(await text()), { timeoutMs: 10_000 })
  const shown = await text()
  expect(shown).toMatch(/skipcast_channels{phase="(starting|placing)"} 1/)
  expect(shown).toContain('skipcast_outbox_rows{state="waiting"} 0')
  expect(shown).toContain('skipcast_server_up{server="studio"} 1')
  expect(shown).toContain('skipcast_listeners 0')
  expect(shown).toMatch(
    /request_duration_seconds_count{method="POST",route="\/api\/channels\/:channel\/stream\/start",status="202"} 1/,
  )
  expect(shown).not.toContain(id)
})
