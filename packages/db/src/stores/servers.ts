import type { Database } from '../database.ts'
import type { Drain } from './records.ts'

/** What people decided about servers. Every method may reject with DATABASE_UNAVAILABLE. */
export interface ServerStore {
  /** Wishes a server to be empty. One that is wished so already stays as it was wished. */
  drain(serverId: string, by: string): Promise<void>
  /** Takes that back. A server that was not to be empty stays as it is. */
  undrain(serverId: string): Promise<void>
  listDrains(): Promise<Drain[]>
}

export function serverStore(database: Database): ServerStore {
  return {
    async drain(id, by) {
      const data = [{ id, drainedAt: new Date(), drainedBy: by }]
      await database.run((client) => client.server.createMany({ data, skipDuplicates: true })) // an upsert fails when two come at once
    },
    async undrain(id) {
      await database.run((client) => client.server.deleteMany({ where: { id } }))
    },
    async listDrains() {
      const rows = await database.run((client) => client.server.findMany({ orderBy: { id: 'asc' } }))
      return rows.map(({ id, drainedAt, drainedBy }) => ({ serverId: id, at: drainedAt, by: drainedBy }))
    },
  }
}
