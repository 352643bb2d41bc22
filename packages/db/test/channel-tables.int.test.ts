import { outboxOf } from '../src/stores/outbox.ts'
import type { LeaderSession } from '../src/leadership.ts'
import { channelTablesContract } from './channel-tables.contract.ts'
import { testStores } from './test-stores.ts'

const given = testStores()

channelTablesContract('PostgreSQL', async () => {
  const session: LeaderSession = {
    async query<Row>(sql: Parameters<LeaderSession['query']>[0], values: readonly unknown[] = []) {
      return (await given.database.query(typeof sql === 'string' ? { name: sql, text: sql } : sql, values)) as Row[]
    },
  }
  const { channels, playlists } = given.stores
  const attached = new Map<string, string[]>()
  return {
    channels,
    outbox: outboxOf(session),
    async make(count) {
      const { id } = await given.channel()
      const ids: string[] = []
      for (let index = 0; index < count; index++) ids.push((await given.media()).id)
      attached.set(id, ids)
      return playlists.attach(id, ids, { ownerId: null })
    },
    leaveTracks: (id, count) => playlists.detach(id, attached.get(id)!.slice(count)),
    async [Symbol.asyncDispose]() {},
  }
})
