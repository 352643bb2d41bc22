import type { Database } from '../database.ts'
import { closeGaps, lockChannelIfThere, readTracks, writeChannel } from './channel-writes.ts'
import { filesOf } from './media-writes.ts'
import type { MediaFile, ToCommand } from './records.ts'

/** The end of all that is kept about users who asked for it (`AccountStore.deleteUser`). Every method may reject with DATABASE_UNAVAILABLE. */
export interface Erasure {
  /** Users of whom nothing is to stay. */
  listDue(limit: number): Promise<string[]>
  /** Their channels, those in the trash too. */
  listChannels(userId: string, limit: number): Promise<string[]>
  listMedia(userId: string, limit: number): Promise<string[]>
  /** Removes a piece for good, whoever plays it: a channel that has no other goes off the air. Resolves to its files, which may be nobody’s now. */
  removePiece(mediaId: string): Promise<MediaFile[]>
  /** Removes the user, when nothing of theirs is left, and with them all that hangs on them. Their user name is free again. */
  forget(userId: string): Promise<void>
}

/** What stands for the name of somebody of whom nothing is kept. */
const SOMEBODY = '(somebody)'

export function erasure(database: Database, toCommand: ToCommand): Erasure {
  const ids = async (found: Promise<{ id: string }[]>) => (await found).map(({ id }) => id)
  return {
    listDue(take) {
      const where = { eraseAt: { lte: new Date() }, deletedAt: { not: null } }
      return ids(
        database.run((client) => client.user.findMany({ where, select: { id: true }, orderBy: { eraseAt: 'asc' }, take })),
      )
    },

    listChannels(ownerId, take) {
      return ids(database.run((client) => client.channel.findMany({ where: { ownerId }, select: { id: true }, take })))
    },

    listMedia(ownerId, take) {
      return ids(database.run((client) => client.media.findMany({ where: { ownerId }, select: { id: true }, take })))
    },

    removePiece(mediaId) {
      return database.transaction(async (session) => {
        // Holds off whoever is just attaching it, so that these are all the playlists there are.
        await session.$executeRaw`SELECT 1 FROM media WHERE id = ${mediaId} FOR UPDATE`
        const playlists = await session.channelMedia.findMany({ where: { mediaId }, orderBy: { channelId: 'asc' } })
        for (const { channelId } of playlists) {
          const channel = await lockChannelIfThere(session, channelId)
          await session.channelMedia.deleteMany({ where: { channelId, mediaId } })
          await closeGaps(session, channelId)
          if (channel?.wanted !== 'on') continue
          const isLast = (await readTracks(session, channelId)).length === 0
          await writeChannel(session, channel, isLast ? { wanted: 'off' } : {}, toCommand)
        }
        const piece = await session.media.findUnique({ where: { id: mediaId } })
        await session.media.deleteMany({ where: { id: mediaId } })
        return piece ? filesOf(piece) : []
      })
    },

    async forget(userId) {
      await database.transaction(async (session) => {
        const user = await session.user.findUnique({ where: { id: userId } })
        if (!user?.eraseAt) return
        await session.server.updateMany({ where: { drainedBy: user.username }, data: { drainedBy: SOMEBODY } })
        await session.oneTimeValue.deleteMany({ where: { value: userId } })
        await session.user.delete({ where: { id: userId } })
      })
    },
  }
}
