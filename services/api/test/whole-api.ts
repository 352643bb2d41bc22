import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals'
import { memoryBus, type MemoryBus, type ServiceContext } from '@skipcast/bus'
import { stamp } from '@skipcast/contracts'
import { testDatabase, type TestDatabase } from '@skipcast/db/testing'
import { mediaEnv, startMedia } from '@skipcast/media'
import { freePort, healthBoard, meters, readConfig, silentLogger, startLoop, waitFor } from '@skipcast/runtime'
import { temporaryHome, toneFile, type TemporaryHome } from '@skipcast/testing'
import { apiEnv, startApi, type Api } from '../src/api.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- the response schemas guard the shapes
export type WholeAnswer = { status: number; body: any; headers: Headers }

/** A home, a database and a bus in memory, on which a test starts the role api, as often as it likes. */
export interface WholeApi {
  readonly home: TemporaryHome
  readonly bus: MemoryBus
  /** What a process hands to its roles. */
  readonly context: (serverId?: string) => ServiceContext
  /** Starts the role; it ends with the test at the latest. */
  readonly start: (environment?: Record<string, string>, context?: ServiceContext) => Promise<Api>
  /** Starts the role, and resolves once it is ready. */
  readonly started: (environment?: Record<string, string>, context?: ServiceContext) => Promise<Api>
  readonly ready: (api: Api) => Promise<unknown>
  /** By the administrator, unless with another token. */
  readonly call: (api: Api, method: string, path: string, body?: object, token?: string) => Promise<WholeAnswer>
  readonly status: (api: Api, path: string) => Promise<number>
  readonly adminToken: () => Promise<string>
  /** Makes a channel with a piece and starts it; resolves with its id. */
  readonly runningChannel: (api: Api) => Promise<string>
  /** Tells that a server lives. */
  readonly heartbeat: (serverId: string, at?: number) => Promise<void>
  /** A server that lives until disposed. */
  readonly beating: (serverId: string) => AsyncDisposable
  /** From now on there is another bus, that knows nothing. */
  readonly loseBus: () => Promise<void>
}

/** All of it is new for each test, or for the whole file. */
export function wholeApi(lifetime: 'test' | 'file' = 'test'): WholeApi {
  let home: TemporaryHome
  let database: TestDatabase
  let bus: MemoryBus
  let owned: AsyncDisposableStack
  let hasWorker = false
  const [begin, end] = lifetime === 'test' ? [beforeEach, afterEach] : [beforeAll, afterAll]

  begin(async () => {
    home = await temporaryHome()
    database = await testDatabase()
    bus = memoryBus()
    owned = new AsyncDisposableStack()
    hasWorker = false
  }, 60_000)
  end(async () => {
    await owned.disposeAsync()
    await bus[Symbol.asyncDispose]()
    await database[Symbol.asyncDispose]()
    await home[Symbol.asyncDispose]()
  })

  /** The role media beside the API. */
  async function withWorker(): Promise<void> {
    if (!hasWorker) owned.use(await startMedia(readConfig({ media: mediaEnv }, {}).media, given.context()))
    hasWorker = true
  }

  const given: WholeApi = {
    get home() {
      return home
    },
    get bus() {
      return bus
    },
    context(serverId = 'one') {
      const origin = { application: 'skipcast', environment: 'test' }
      return { bus, home, logger: silentLogger(), health: healthBoard(), meters: meters(), serverId, origin, onStop: 'stop' }
    },
    async start(environment = {}, context = given.context()) {
      const { api } = readConfig({ api: apiEnv }, { DATABASE_URL: database.url, API_PORT: `${await freePort()}`, ...environment })
      return owned.use(await startApi(api, context))
    },
    async started(environment, context) {
      const api = await given.start(environment, context)
      await given.ready(api)
      return api
    },
    ready: (api) =>
      waitFor('the API to be ready', async () => (await given.status(api, '/readyz')) === 200, { timeoutMs: 30_000 }),
    async call(api, method, path, body, token) {
      const isForm = body instanceof FormData
      const response = await fetch(api.url + path, {
        method,
        headers: {
          authorization: `Bearer ${token ?? (await given.adminToken())}`,
          ...(body && (isForm ? { prefer: 'wait=60' } : { 'content-type': 'application/json' })),
        },
        ...(body && { body: isForm ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, body: text.startsWith('{') ? JSON.parse(text) : text }
    },
    status: async (api, path) => (await given.call(api, 'GET', path)).status,
    adminToken: async () => (await readFile(join(home.path, 'admin-token'), 'utf8').catch(() => 'none')).trim(),
    async runningChannel(api) {
      const form = new FormData()
      const file = await readFile(await toneFile(join(home.path, 'tone.mp3'), { frequencyHz: 440, seconds: 1 }))
      form.set('media_file', new Blob([new Uint8Array(file)]), 'tone.mp3')
      await withWorker()
      const media = await given.call(api, 'POST', '/api/media/upload', form)
      const { body } = await given.call(api, 'POST', '/api/channels', { name: 'Radio' })
      await given.call(api, 'POST', `/api/channels/${body.channel.id}/media`, { media_ids: [media.body.id] })
      expect((await given.call(api, 'POST', `/api/channels/${body.channel.id}/stream/start`)).status).toBe(202)
      return body.channel.id
    },
    async heartbeat(serverId, at = Date.now()) {
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
    },
    beating: (serverId) => startLoop(() => given.heartbeat(serverId), { everyMs: 100, onError: () => {} }),
    async loseBus() {
      await bus[Symbol.asyncDispose]()
      bus = memoryBus()
    },
  }
  return given
}
