import { silentLogger } from '@skipcast/runtime'
import { openDatabase } from '../src/database.ts'
import type { LeaderSession } from '../src/leadership.ts'
import { newId } from '../src/new-id.ts'
import { outboxOf } from '../src/stores/outbox.ts'
import { openStores } from '../src/stores/stores.ts'
import { testDatabase, type TestDatabase } from '../src/testing/test-database.ts'
import { channelTablesContract, shortCommand } from './channel-tables.contract.ts'
import { afterAll, beforeAll } from '@jest/globals'

let server: TestDatabase
beforeAll(async () => void (server = await testDatabase()), 60_000)
afterAll(async () => server[Symbol.asyncDispose]())

channelTablesContract('PostgreSQL', async () => {
  await server.query('TRUNCATE users, channels, media, outbox CASCADE')
  const database = openDatabase(server.url, { logger: silentLogger() })
  const session: LeaderSession = {
    async query<Row>(sql: Parameters<LeaderSession['query']>[0], values: readonly unknown[] = []) {
      return (await database.query(typeof sql === 'string' ? { name: sql, text: sql } : sql, values)) as Row[]
    },
  }
  const { accounts, channels, media, playlists } = openStores(database, { toCommand: shortCommand })
  const { id: ownerId } = await accounts.createUser({ username: newId(), role: 'dj' })
  const addMedia = () =>
    media.add(
      {
        ownerId,
        title: 't',
        artist: '',
        album: '',
        sha256: 'a'.repeat(64),
        sizeBytes: 1,
        durationMs: 1,
        originalName: 'x',
        originalSha256: 'b',
      },
      async () => {},
    )
  const attached = new Map<string, string[]>()
  return {
    channels,
    outbox: outboxOf(session),
    async make(count) {
      const slug = newId().slice(-12)
      const channel = await channels.create({
        ownerId,
        slug,
        name: 'n',
        description: '',
        genre: '',
        mode: 'copy',
        bitrateKbps: 128,
      })
      const ids: string[] = []
      for (let index = 0; index < count; index++) ids.push((await addMedia()).id)
      attached.set(channel.id, ids)
      return playlists.attach(channel.id, ids, { ownerId: null })
    },
    leaveTracks: (id, count) => playlists.detach(id, attached.get(id)!.slice(count)),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
})
