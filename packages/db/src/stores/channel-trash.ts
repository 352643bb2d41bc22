import { AppError } from '@skipcast/runtime'
import type { Database, Session } from '../database.ts'
import { Prisma } from '../generated/client.ts'
import { closeGaps, lockChannelEvenInTrash, readChannels, writeChannel } from './channel-writes.ts'
import type { Channel, Page, PageRequest, ToCommand } from './records.ts'

/** Channels that were deleted, and can be had back until they are removed for good. Every method may reject with DATABASE_UNAVAILABLE. */
export interface ChannelTrash {
  /** Of one owner, or of all (null); what was deleted last comes first. */
  list(ownerId: string | null, page: PageRequest): Promise<Page<Channel>>
  /** By id or slug. */
  find(idOrSlug: string): Promise<Channel | null>
  /**
   * Takes all of these out, or none: with their playlists and all else, off, with the slugs that they had. `ownerId`: only this one's (null: anybody's);
   * `atMost`: so many channels of one owner, who is neither premium nor an admin. Rejects with NOT_FOUND, naming those that are not there, or with CONFLICT.
   */
  restore(ids: readonly string[], options: { readonly ownerId: string | null; readonly atMost: number }): Promise<Channel[]>
  /** The ids of those that were deleted before then, the oldest first. */
  listDeletedBefore(before: Date, limit: number): Promise<string[]>
}

export function channelTrash(database: Database, toCommand: ToCommand): ChannelTrash {
  return {
    list(ownerId, { page, perPage }) {
      const which = Prisma.sql`WHERE c.deleted_at IS NOT NULL AND ${ownerId === null ? Prisma.sql`true` : Prisma.sql`c.owner_id = ${ownerId}`}`
      return database.run(async (client) => {
        const slice = Prisma.sql`${which} ORDER BY c.deleted_at DESC, c.id DESC LIMIT ${perPage} OFFSET ${(page - 1) * perPage}`
        const [items, [counted]] = await Promise.all([
          readChannels(client, slice),
          client.$queryRaw<{ total: number }[]>`SELECT count(*)::int AS total FROM channels c ${which}`,
        ])
        return { items, total: counted!.total }
      })
    },

    find(idOrSlug) {
      const which = Prisma.sql`WHERE (c.id = ${idOrSlug} OR c.slug = ${idOrSlug}) AND c.deleted_at IS NOT NULL`
      return database.run(async (client) => (await readChannels(client, which))[0] ?? null)
    },

    restore(ids, { ownerId, atMost }) {
      return database.transaction(async (session) => {
        const found: Channel[] = []
        const missing: string[] = []
        for (const id of [...new Set(ids)].toSorted()) {
          const channel = await lockChannelEvenInTrash(session, id)
          if (channel?.deletedAt && (ownerId === null || channel.ownerId === ownerId)) found.push(channel)
          else missing.push(id)
        }
        if (missing.length > 0)
          throw new AppError('NOT_FOUND', 'Some of these channels are not in the trash.', { details: { ids: missing } })
        const byOwner = Map.groupBy(found, (channel) => channel.ownerId)
        for (const [owner, channels] of [...byOwner].toSorted(([one], [other]) => (one < other ? -1 : 1)))
          await requireRoom(session, owner, channels.length, atMost)
        const restored: Channel[] = []
        for (const channel of found) {
          await closeGaps(session, channel.id) // pieces may have been deleted meanwhile
          restored.push(await writeChannel(session, channel, { deletedAt: null }, toCommand))
        }
        return restored
      })
    },

    async listDeletedBefore(before, limit) {
      const where = { deletedAt: { lt: before } }
      const rows = await database.run((client) =>
        client.channel.findMany({ where, select: { id: true }, orderBy: { deletedAt: 'asc' }, take: limit }),
      )
      return rows.map(({ id }) => id)
    },
  }
}

/** Holds off whoever makes or restores channels of this owner at the same time. Rejects with CONFLICT where so many more are too many. */
export async function requireRoom(session: Session, ownerId: string, more: number, atMost: number): Promise<void> {
  const [owner] = await session.$queryRaw<{ isFree: boolean; isGone: boolean }[]>`
    SELECT premium OR role = 'admin' AS "isFree", deleted_at IS NOT NULL AS "isGone" FROM users WHERE id = ${ownerId} FOR NO KEY UPDATE`
  if (owner?.isGone) throw new AppError('CONFLICT', 'The owner’s account was deleted, and their channels with it.')
  if (!owner || owner.isFree) return
  const count = await session.channel.count({ where: { ownerId, deletedAt: null } })
  if (count + more <= atMost) return
  throw new AppError(
    'CONFLICT',
    `This would be more than the ${atMost} channels of one user. Delete one first, or ask an admin for premium.`,
  )
}
