import { AppError } from '@skipcast/runtime'
import { isDangling } from '../database-errors.ts'
import type { Database, Session } from '../database.ts'
import { Prisma } from '../generated/client.ts'
import { closeGaps, lockChannel, writeChannel } from './channel-writes.ts'
import { readMedia } from './media-list.ts'
import type { Channel, Media, Page, PageRequest, ToCommand } from './records.ts'

/** What channels play, in order. Every method may reject with DATABASE_UNAVAILABLE. */
export interface PlaylistStore {
  /** In order of play. `public`: only the pieces that are so, and ready. */
  list(channelId: string, page: PageRequest, which?: 'whole' | 'public'): Promise<Page<Media>>
  /**
   * Appends media that are not on the playlist yet, in the order given; a running channel gets them at once, or as soon as they are ready. `ownerId` limits them
   * to that owner's and public ones that are ready (null: anybody's). Rejects with NOT_FOUND for the channel or naming the media, with CONFLICT when the playlist would be
   * too long, or naming those that can not be played.
   */
  attach(channelId: string, mediaIds: readonly string[], options: { ownerId: string | null }): Promise<Channel>
  /** Takes media off; those that are not on it do not matter. Rejects with NOT_FOUND, or CONFLICT when a running channel would have none left. */
  detach(channelId: string, mediaIds: readonly string[]): Promise<Channel>
  /** Puts the playlist into this order. Rejects with NOT_FOUND, or with CONFLICT, naming the difference, when these are not exactly its media. */
  reorder(channelId: string, mediaIds: readonly string[]): Promise<Channel>
}

/** Most tracks of one channel: its whole playlist travels in one message. */
const MAX_TRACKS = 10_000
/** The pieces that there are for those whose they are not. */
const FOR_ALL = { visibility: 'public', state: 'ready' } as const
/** An error names so many media. */
const MAX_TOLD = 100

export function playlistStore(database: Database, toCommand: ToCommand): PlaylistStore {
  return {
    list(channelId, { page, perPage }, which = 'whole') {
      return database.run(async (client) => {
        const { visibility, state } = FOR_ALL
        const isForAll = Prisma.sql`c.visibility = ${visibility}::visibility AND c.state = ${state}::media_state`
        const isShown = which === 'public' ? isForAll : Prisma.sql`true`
        const [found] = await client.$queryRaw<{ total: number; ids: string[] }[]>`
          WITH played AS MATERIALIZED (
            SELECT c.id, p.position FROM channel_media p JOIN media_cards c ON c.id = p.media_id
            WHERE p.channel_id = ${channelId} AND c.deleted_at IS NULL AND ${isShown}
          )
          SELECT count(*)::int AS total, ARRAY(SELECT id FROM played ORDER BY position LIMIT ${perPage} OFFSET ${(page - 1) * perPage}) AS ids
          FROM played`
        const { total, ids } = found!
        return { items: await readMedia(client, ids), total }
      })
    },

    async attach(channelId, mediaIds, { ownerId }) {
      const work = database.transaction(async (session) => {
        const channel = await lockChannel(session, channelId)
        const playlist = await readIds(session, channelId, { withTrash: true })
        const added = [...new Set(mediaIds)].filter((id) => !playlist.has(id))
        if (playlist.size + added.length > MAX_TRACKS)
          throw new AppError('CONFLICT', `A playlist holds up to ${MAX_TRACKS} tracks.`)
        await requireMedia(session, added, ownerId)
        const data = added.map((mediaId, index) => ({ channelId, mediaId, position: playlist.size + index }))
        if (data.length === 0) return channel
        await closeGaps(session, channelId) // pieces may have gone for good meanwhile
        await session.channelMedia.createMany({ data })
        return writeChannel(session, channel, {}, toCommand)
      })
      return work.catch((error: unknown) => {
        if (isDangling(error)) throw new AppError('NOT_FOUND', 'One of these media was deleted a moment ago.')
        throw error
      })
    },

    detach(channelId, mediaIds) {
      return database.transaction(async (session) => {
        const channel = await lockChannel(session, channelId)
        const { count } = await session.channelMedia.deleteMany({ where: { channelId, mediaId: { in: [...mediaIds] } } })
        if (count === 0) return channel
        await closeGaps(session, channelId)
        return writeChannel(session, channel, {}, toCommand)
      })
    },

    reorder(channelId, mediaIds) {
      return database.transaction(async (session) => {
        const channel = await lockChannel(session, channelId)
        requireSame(await readIds(session, channelId, { withTrash: false }), mediaIds)
        const moved = await session.$executeRaw`
          UPDATE channel_media cm SET position = numbered.place - 1
          FROM (
            SELECT media_id, row_number() OVER (ORDER BY wanted.place, position) AS place
            FROM channel_media LEFT JOIN unnest(${[...mediaIds]}::text[]) WITH ORDINALITY AS wanted (media_id, place) USING (media_id)
            WHERE channel_id = ${channelId}
          ) numbered
          WHERE cm.channel_id = ${channelId} AND cm.media_id = numbered.media_id AND cm.position <> numbered.place - 1`
        return moved === 0 ? channel : writeChannel(session, channel, {}, toCommand)
      })
    },
  }
}

function requireSame(playlist: ReadonlySet<string>, mediaIds: readonly string[]): void {
  const given = new Set(mediaIds)
  const missing = [...playlist].filter((id) => !given.has(id))
  const unknown = [...given].filter((id) => !playlist.has(id))
  if (missing.length + unknown.length === 0) return
  throw new AppError('CONFLICT', 'This is not the playlist as it is now: name each of its media once.', {
    details: { missing: missing.slice(0, MAX_TOLD), unknown: unknown.slice(0, MAX_TOLD) },
  })
}

/** What is in the trash keeps its place, for when it comes back. */
async function readIds(session: Session, channelId: string, { withTrash }: { withTrash: boolean }): Promise<Set<string>> {
  const where = { channelId, ...(!withTrash && { media: { deletedAt: null } }) }
  const rows = await session.channelMedia.findMany({ where, select: { mediaId: true } })
  return new Set(rows.map((row) => row.mediaId))
}

async function requireMedia(session: Session, ids: string[], ownerId: string | null): Promise<void> {
  const reachable = ownerId === null ? {} : { OR: [{ ownerId }, FOR_ALL] }
  const rows = await session.media.findMany({
    where: { id: { in: ids }, deletedAt: null, ...reachable },
    select: { id: true, state: true },
  })
  const found = new Map(rows.map(({ id, state }) => [id, state]))
  const missing = ids.filter((id) => !found.has(id))
  if (missing.length > 0)
    throw new AppError('NOT_FOUND', 'Some of these media do not exist, or are not yours.', { details: { media_ids: missing } })
  const failed = ids.filter((id) => found.get(id) === 'failed')
  if (failed.length > 0)
    throw new AppError('CONFLICT', 'Some of these media could not be imported, and can not be played.', {
      details: { media_ids: failed },
    })
}
