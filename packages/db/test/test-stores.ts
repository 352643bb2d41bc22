import { afterAll, beforeAll, beforeEach } from '@jest/globals'
import { silentLogger } from '@skipcast/runtime'
import { openDatabase, type Database } from '../src/database.ts'
import { newId } from '../src/new-id.ts'
import type { User } from '../src/stores/account-records.ts'
import type { Channel, Media } from '../src/stores/records.ts'
import { openStores, type Stores } from '../src/stores/stores.ts'
import { PATIENT, testDatabase, type TestDatabase } from '../src/testing/test-database.ts'
import { shortCommand } from './short-command.ts'

/** A command as it lies in the outbox; null takes a channel's key off the topic. */
interface Row {
  readonly topic: string
  readonly key: string
  readonly payload: { event: string; generation: number; tracks: { media_id: string }[] } | null
}

/** The stores on a database of the test file's own, which each test finds empty but for one owner. Call it once, at the top. */
export function testStores() {
  let server: TestDatabase
  let database: Database
  let stores: Stores
  let owner: User

  beforeAll(async () => {
    server = await testDatabase()
    database = openDatabase(server.url, { logger: silentLogger(), patience: PATIENT })
    stores = openStores(database, { toCommand: shortCommand })
  }, 60_000)
  afterAll(async () => {
    await database[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    await server.query('TRUNCATE users, one_time_values, channels, media, servers, outbox CASCADE')
    owner = await stores.accounts.createUser({ username: newId(), role: 'dj' })
  })

  const channel = (fields: Partial<Channel> = {}): Promise<Channel> =>
    stores.channels.create({
      ownerId: owner.id,
      name: 'n',
      slug: newId().slice(-12),
      description: '',

      mode: 'copy',
      bitrateKbps: 128,
      ...fields,
    })
  const media = (fields: Partial<Media> = {}): Promise<Media> => {
    const record = {
      ownerId: owner.id,
      title: 't',
      artist: '',
      album: '',
      sha256: 'a'.repeat(64),
      sizeBytes: 1,
      durationMs: 1,
      originalName: 'x',
      originalSha256: 'b',
      state: 'ready' as const,
    }
    return stores.media.add({ ...record, ...fields })
  }
  /** A channel on the server `one` with so many pieces. */
  const running = async (tracks = 1): Promise<{ channel: Channel; mediaIds: string[] }> => {
    const made = await channel()
    const mediaIds: string[] = []
    for (let i = 0; i < tracks; i++) mediaIds.push((await media()).id)
    await stores.playlists.attach(made.id, mediaIds, { ownerId: null })
    return { channel: await stores.channels.change(made.id, () => ({ wanted: 'on', serverId: 'one' })), mediaIds }
  }
  return {
    get server() {
      return server
    },
    get database() {
      return database
    },
    get stores() {
      return stores
    },
    get owner() {
      return owner
    },
    channel,
    media,
    running,
    /** All that lies in the outbox, oldest first. */
    outbox: () => server.query<Row>('SELECT topic, key, payload FROM outbox ORDER BY id'),
  }
}
