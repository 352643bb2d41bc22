import type { Database } from '../database.ts'
import { commandChannels, lockMedia, lockMediaIfThere, toMedia } from './media-writes.ts'
import type { Media, ToCommand } from './records.ts'

/** Media that were deleted and can be had back, with their places in playlists. Every method may reject with DATABASE_UNAVAILABLE. */
export interface MediaTrash {
  /** Puts a piece into the trash; no channel plays it any more. Rejects with NOT_FOUND, or CONFLICT when it is the last of a running channel. */
  put(id: string): Promise<Media>
  find(id: string): Promise<Media | null>
  /** Takes pieces out again, where they are in the trash and of this owner (null: anybody's who is not deleted). Channels that had them play them again. */
  restore(ids: readonly string[], ownerId: string | null): Promise<Media[]>
  /** Removes the record of a piece in the trash, for good; its files are the sweep's. Resolves to whether it was there. */
  remove(id: string): Promise<boolean>
  /** Removes the records of some that were put in before then, for good. Resolves to how many; their files are the sweep's. */
  purge(before: Date): Promise<number>
}

const PURGED_AT_ONCE = 100

export function mediaTrash(database: Database, toCommand: ToCommand): MediaTrash {
  return {
    put(id) {
      return database.transaction(async (session) => {
        const { channelIds } = await lockMedia(session, id)
        const row = await session.media.update({ where: { id }, data: { deletedAt: new Date() } })
        await commandChannels(session, channelIds, toCommand)
        return toMedia(session, row)
      })
    },

    find(id) {
      return database.run(async (client) => {
        const row = await client.media.findFirst({ where: { id, deletedAt: { not: null } } })
        return row && toMedia(client, row)
      })
    },

    restore(ids, ownerId) {
      return database.transaction(async (session) => {
        const restored: Media[] = []
        for (const id of [...new Set(ids)].toSorted()) {
          const found = await lockMediaIfThere(session, id)
          if (!found?.media.deletedAt || (ownerId !== null && found.media.ownerId !== ownerId)) continue
          if ((await session.user.count({ where: { id: found.media.ownerId, deletedAt: null } })) === 0) continue
          restored.push(await toMedia(session, await session.media.update({ where: { id }, data: { deletedAt: null } })))
          await commandChannels(session, found.channelIds, toCommand)
        }
        return restored
      })
    },

    async remove(id) {
      const where = { id, deletedAt: { not: null } }
      return (await database.run((client) => client.media.deleteMany({ where }))).count > 0
    },

    async purge(before) {
      const found = await database.run((client) =>
        client.media.findMany({ where: { deletedAt: { lt: before } }, select: { id: true }, take: PURGED_AT_ONCE }),
      )
      const where = { id: { in: found.map(({ id }) => id) }, deletedAt: { lt: before } }
      return (await database.run((client) => client.media.deleteMany({ where }))).count
    },
  }
}
