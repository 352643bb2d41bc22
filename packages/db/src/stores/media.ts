import { AppError } from '@skipcast/runtime'
import type { Database, Session } from '../database.ts'
import type { Media as MediaRow } from '../generated/client.ts'
import { newId } from '../new-id.ts'
import { closeGaps, lockChannelIfThere, writeChannel } from './channel-writes.ts'
import { matching, orderOf, pageOf } from './lists.ts'
import type { ListRequest, Media, MediaChange, MediaSort, NewMedia, Page, ToCommand } from './records.ts'

/**
 * The library. A file on disk is shared by all media with the same content, so what is done to it happens under a lock of its
 * hash: nobody removes a file that somebody is just adding. Every method may reject with DATABASE_UNAVAILABLE.
 */
export interface MediaStore {
  /** `placeFile` puts the air file where it belongs; then the record is made. Rejects with what `placeFile` rejects with. */
  add(media: NewMedia, placeFile: () => Promise<void>): Promise<Media>
  find(id: string): Promise<Media | null>
  /** Of one owner, or of all (null). Searches titles, artists, albums and the names of the files. */
  list(ownerId: string | null, request: ListRequest<MediaSort>): Promise<Page<Media>>
  /**
   * Changes a piece as `decide` says, who sees it as it is now; running channels that play it get a new command.
   * Rejects with NOT_FOUND, or with what `decide` throws.
   */
  change(id: string, decide: (media: Media) => MediaChange): Promise<Media>
  /** Takes it off all playlists (running channels get their new ones) and removes it. Rejects with NOT_FOUND, or CONFLICT when it is the last of a running channel. */
  remove(id: string): Promise<Media>
  /** Calls `removeFile` if no media has this content any more. */
  removeFileIfUnused(sha256: string, removeFile: () => Promise<void>): Promise<void>
}

export function toMedia(row: MediaRow): Media {
  return { ...row, sizeBytes: Number(row.sizeBytes) }
}

export function mediaStore(database: Database, toCommand: ToCommand): MediaStore {
  return {
    add(media, placeFile) {
      return database.transaction(async (session) => {
        await lockContent(session, media.sha256)
        await placeFile()
        return toMedia(await session.media.create({ data: { ...media, id: newId() } }))
      })
    },

    async find(id) {
      const row = await database.run((client) => client.media.findUnique({ where: { id } }))
      return row && toMedia(row)
    },

    list(ownerId, request) {
      return database.run((client) => {
        const searched = matching(['title', 'artist', 'album', 'originalName'], request.search)
        const where = ownerId === null ? searched : { AND: [searched, { ownerId }] }
        const orderBy = orderOf(request, { created_at: 'id', title: 'title', artist: 'artist', duration_ms: 'durationMs' })
        const find = (slice: object) => client.media.findMany({ where, orderBy, ...slice })
        return pageOf(request, find, client.media.count({ where }), toMedia)
      })
    },

    change(id, decide) {
      return database.transaction(async (session) => {
        const { channels, ...media } = await lockMedia(session, id)
        const changed = await session.media.update({ where: { id }, data: decide(toMedia(media)) })
        for (const { channelId } of channels) {
          const channel = await lockChannelIfThere(session, channelId)
          if (channel) await writeChannel(session, channel, {}, toCommand)
        }
        return toMedia(changed)
      })
    },

    remove(id) {
      return database.transaction(async (session) => {
        const { channels, ...media } = await lockMedia(session, id)
        for (const { channelId } of channels) {
          const channel = await lockChannelIfThere(session, channelId)
          if (!channel) continue
          await session.channelMedia.deleteMany({ where: { channelId, mediaId: id } })
          await closeGaps(session, channelId)
          await writeChannel(session, channel, {}, toCommand)
        }
        await session.media.delete({ where: { id } })
        return toMedia(media)
      })
    },

    removeFileIfUnused(sha256, removeFile) {
      return database.transaction(async (session) => {
        await lockContent(session, sha256)
        if ((await session.media.count({ where: { sha256 } })) === 0) await removeFile()
      })
    },
  }
}

/** The piece with its playlists. Holds off whoever is just attaching it, so that these are all there are. */
async function lockMedia(session: Session, id: string) {
  await session.$executeRaw`SELECT 1 FROM media WHERE id = ${id} FOR UPDATE`
  const row = await session.media.findUnique({ where: { id }, include: { channels: { orderBy: { channelId: 'asc' } } } })
  if (!row) throw new AppError('NOT_FOUND', 'There is no such media.')
  return row
}

async function lockContent(session: Session, sha256: string): Promise<void> {
  await session.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${sha256}, 1))`
}
