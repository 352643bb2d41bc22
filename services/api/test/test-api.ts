import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signListenToken, stamp, type StreamStatus } from '@skipcast/contracts'
import { openDatabase, openStores, sharedLocks, type Database, type Role, type Stores, type User } from '@skipcast/db'
import { PATIENT, testDatabase } from '@skipcast/db/testing'
import { folderStore } from '@skipcast/media-store'
import { healthBoard, meters, silentLogger, type HealthBoard } from '@skipcast/runtime'
import { betterAuthLogIns, type LogInOptions } from '../src/adapters/better-auth/log-ins.ts'
import { incomingFiles } from '../src/adapters/incoming-files.ts'
import { mediaLinks } from '../src/adapters/media-links.ts'
import { uploadFiles } from '../src/adapters/upload-files.ts'
import type { Mail } from '../src/domain/mail.ts'
import { toStreamCommand } from '../src/domain/stream-command.ts'
import type { ServerSight } from '../src/domain/stream-view.ts'
import { viewCounter } from '../src/count-views.ts'
import { buildApp } from '../src/http/app.ts'
import type { App } from '../src/http/app-type.ts'
import { mediaNews } from '../src/media-news.ts'
import type { ApiPorts, FleetMember } from '../src/ports.ts'
import { testWorker } from './test-worker.ts'

export const SIGNING_KEY = 'k'.repeat(32)

// Tests read answers whose shape the response schemas guard.
// oxlint-disable-next-line typescript/no-explicit-any
export type Answer = { status: number; headers: Record<string, unknown>; body: any; text: string }

/** A server that tells of itself what a test likes. */
export interface TestServer {
  readonly capacity: number
  readonly sight: ServerSight
  readonly labels?: Readonly<Record<string, string>>
}

/** The HTTP side on a real database and a real folder, with the role media beside it once something is uploaded; servers and what agents tell are set by hand. */
export interface TestApi extends AsyncDisposable {
  readonly app: App
  readonly stores: Stores
  readonly ports: ApiPorts
  readonly mediaPath: string
  readonly health: HealthBoard
  readonly statuses: Map<string, StreamStatus>
  readonly servers: Map<string, TestServer>
  /** What the list of servers shows. */
  readonly members: FleetMember[]
  /** Since when the bus is away. */
  readonly deaf: { since: number | null }
  /** Tells the API that `statuses` changed. */
  statusChanged(): void
  query<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>
  user(role: Role): Promise<{ user: User; token: string }>
  call(
    method: string,
    url: string,
    options?: { token?: string; body?: object; headers?: Record<string, string> },
  ): Promise<Answer>
  /** All mails that were written, oldest first. */
  readonly mails: Mail[]
  /** Waits until it is processed, unless told otherwise. */
  upload(token: string | undefined, file: Buffer, fileName?: string, field?: string, prefer?: string): Promise<Answer>
  readonly database: Pick<Database, 'query' | 'url'>
  /** From now on jobs are done. */
  startWorker(): Promise<void>
}

/** Where people reach it, as far as its links say. */
export const PUBLIC_URL = 'http://radio.test:3000'

export async function testApi(
  settings: Partial<ApiPorts['settings']> = {},
  folder = tmpdir(),
  logIns: Partial<LogInOptions> = {},
): Promise<TestApi> {
  await using owned = new AsyncDisposableStack()
  const database = owned.use(await testDatabase())
  const client = owned.use(openDatabase(database.url, { logger: silentLogger(), patience: PATIENT }))
  const path = await mkdtemp(join(folder, 'skipcast-api-'))
  owned.defer(() => rm(path, { recursive: true, force: true }))
  await chmod(path, 0o711)

  const origin = { application: 'skipcast', environment: 'test' }
  const statuses: TestApi['statuses'] = new Map()
  const context = { origin, signingKey: SIGNING_KEY, lastTold: (id: string) => statuses.get(id) }
  const stores = openStores(client, {
    toCommand: (channel, tracks, at) => toStreamCommand(context, channel, tracks, at),
  })
  const listeners = new Set<() => void>()
  const servers: TestApi['servers'] = new Map()
  const members: TestApi['members'] = []
  const deaf: TestApi['deaf'] = { since: null }
  const mails: Mail[] = []
  const health = healthBoard()
  const board = meters()
  const mediaPath = join(path, 'media')
  const ports: ApiPorts = {
    stores,
    statuses,
    deafSince: () => deaf.since,
    onStatusChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    health,
    fleet: {
      heardAt: () => null,
      sight: (id) => servers.get(id)?.sight ?? { kind: 'silent', since: 0 },
      list: () => [...members, ...[...servers].map(([id, server]) => memberOf(id, server))],
    },
    logIns: betterAuthLogIns({
      publicUrl: PUBLIC_URL,
      secret: 's'.repeat(32),
      newcomers: { areWelcome: true, role: 'listener' },
      sessionDays: 30,
      providers: {},
      ...logIns,
      rows: stores.accountRows,
      accounts: stores.accounts,
      sendMail: async (_about, mail) => void mails.push(mail),
      logger: silentLogger(),
    }),
    jobs: { origin, airFormat: { bitrateKbps: 128, sampleRate: 44_100 } },
    mediaNews: mediaNews(),
    incomingFiles: await incomingFiles({ path: mediaPath, serverId: 'test' }),
    uploadFiles: await uploadFiles({ path: mediaPath }),
    locks: owned.use(sharedLocks(client)),
    mediaStore: folderStore(mediaPath),
    origin,
    viewers: viewCounter(stores.opinions, SIGNING_KEY, Date.now),
    listenToken: (channelId, expiresAt) =>
      signListenToken(SIGNING_KEY, { channelId, expiresAt: Math.floor(expiresAt.getTime() / 1000) }),
    mediaLinks: mediaLinks('s'.repeat(32)),
    random: Math.random,
    meters: board,
    telemetry: { answered: () => {}, swept: () => {} },
    settings: {
      listenUrl: 'http://radio.test:8000',
      mediaMaxBytes: 5 * 1024 ** 2,
      mediaQuotaBytes: 0,
      listenUrlMinutes: 60,
      channelsPerUser: 1_000_000,
      trashDays: 30,
      bitrateKbps: 128,
      maxEventClients: 3,
      maxEventClientsPerAddress: 3,
      requestsPerMinute: 1_000_000,
      trustedProxies: [],
      maxSilentPercent: 50,
      publicUrl: PUBLIC_URL,
      triesPerAddress: 1_000_000,
      triesPerAccount: 1_000_000,
      ...settings,
    },
  }
  const app = await buildApp(ports, { logger: silentLogger() })
  owned.defer(async () => {
    const closed = app.close()
    app.server.closeAllConnections() // fetch opens some beforehand, which never asked and so are not idle: Node waits a minute for these
    await closed
  })

  let worker: Promise<unknown> | undefined
  const startWorker = async () => {
    worker ??= testWorker({ ports, mediaPath, homePath: path, database: client }).then((it) => stack.use(it))
    await worker
  }

  let people = 0
  const call: TestApi['call'] = async (method, url, { token, body, headers } = {}) => {
    const response = await app.inject({
      method: method as 'GET',
      url,
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
      ...(body !== undefined && { payload: body }),
    })
    const isJson = String(response.headers['content-type']).startsWith('application/json')
    return {
      status: response.statusCode,
      headers: response.headers,
      text: response.body,
      body: isJson && response.body !== '' ? response.json() : response.body,
    }
  }
  const stack = owned.move()
  return {
    app,
    stores,
    ports,
    mails,
    mediaPath,
    database: client,
    health,
    statuses,
    servers,
    members,
    deaf,
    statusChanged: () => listeners.forEach((listener) => listener()),
    query: (sql, values) => database.query(sql, values),
    call,
    async user(role) {
      const made = await stores.accounts.createUser({ username: `${role}-${people++}`, role })
      return { user: made, token: (await stores.accounts.createToken(made.id, 'test')).secret }
    },
    startWorker,
    async upload(token, file, fileName = 'music.mp3', field = 'media_file', prefer = 'wait=60') {
      await startWorker()
      const form = new FormData()
      form.set(field, new Blob([new Uint8Array(file)]), fileName)
      const encoded = new Response(form)
      return call('POST', '/api/media/upload', {
        ...(token !== undefined && { token }),
        headers: { 'content-type': encoded.headers.get('content-type')!, prefer },
        body: Buffer.from(await encoded.arrayBuffer()),
      })
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function memberOf(id: string, { capacity, sight, labels = {} }: TestServer): FleetMember {
  const about = { server_id: id, started_at: 0, labels, capacity, load: 0, engines: 0, channels: 0, versions: {} }
  const heartbeat = {
    ...stamp({ application: 'skipcast', environment: 'test' }, 0, id),
    event: 'server_heartbeat' as const,
    ...about,
  }
  return { heartbeat, sight, heardAt: 0 }
}

/** A record of music without a file, for tests that play nothing. */
export function musicRecord(ownerId: string) {
  return {
    ownerId,
    title: 'A tune',
    artist: 'Somebody',
    album: '',
    sha256: 'a'.repeat(64),
    sizeBytes: 16_000,
    durationMs: 1000,
    originalName: 'tune.mp3',
    originalSha256: 'b'.repeat(64),
    state: 'ready' as const,
  }
}

/** What the agent of the server `one` tells of a channel that is heard. */
export function onAirStatus(channelId: string, fields: Partial<StreamStatus>): StreamStatus {
  return {
    ...stamp({ application: 'skipcast', environment: 'test' }, 1000, 'x'),
    event: 'stream_status_update',
    channel_id: channelId,
    channel_slug: 'x',
    phase: 'on_air',
    server_id: 'one',
    generation: 1,
    epoch: 1,
    mount: '/x',
    since: 1_700_000_000_000,
    now_playing: { media_id: 'm', title: 'T', artist: 'A', started_at: 1_700_000_000_000 },
    monitors: 0,
    last_error: null,
    ...fields,
  }
}
