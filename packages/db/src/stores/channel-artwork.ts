import type { ArtworkEvent, MediaJob as MediaJobMessage } from '@skipcast/contracts'
import { AppError } from '@skipcast/runtime'
import type { Database, Session } from '../database.ts'
import { lockChannel, lockChannelEvenInTrash } from './channel-writes.ts'
import { endJob, toJob } from './media-jobs.ts'
import { enqueueJob, forgetJobs } from './media-writes.ts'
import type { Channel, MediaJob } from './records.ts'

/**
 * The pictures of channels. The newest wish counts: work that was asked for before is forgotten with it, and what is told of that later changes nothing. No agent
 * needs to know of pictures, so nothing is commanded. Every method may reject with DATABASE_UNAVAILABLE.
 */
export interface ChannelArtworkStore {
  /** Asks for artwork to be made; until it is there, the channel keeps what it has. Rejects with NOT_FOUND. */
  ask(channelId: string, job: MediaJobMessage): Promise<MediaJob>
  /** Takes the artwork off a channel, and what is in the making. Rejects with NOT_FOUND. */
  remove(channelId: string): Promise<Channel>
  /** The newest work on it; null: none, or it was taken off since. */
  findJob(channelId: string): Promise<MediaJob | null>
  /** Writes what a worker told: once, however often it is told; also for a channel in the trash. */
  record(event: ArtworkEvent): Promise<void>
}

export function channelArtworkStore(database: Database): ChannelArtworkStore {
  return {
    ask(channelId, job) {
      return database.transaction(async (session) => {
        await lockChannel(session, channelId)
        return toJob(await enqueueJob(session, job))
      })
    },

    remove(channelId) {
      return database.transaction(async (session) => {
        const channel = await lockChannel(session, channelId)
        await forgetJobs(session, { channelId }, 'make_artwork')
        return channel.artworkSha256 === null ? channel : await setArtwork(session, channelId, null)
      })
    },

    async findJob(channelId) {
      const row = await database.run((client) => client.mediaJob.findUnique({ where: { channelId } }))
      return row && toJob(row)
    },

    async record(event) {
      await database.transaction(async (session) => {
        const channel = await lockChannelEvenInTrash(session, event.channel_id)
        if (!channel || !(await endJob(session, event)) || event.event === 'artwork_failed') return
        await setArtwork(session, channel.id, event.artwork)
      })
    },
  }
}

async function setArtwork(session: Session, id: string, artworkSha256: string | null): Promise<Channel> {
  await session.channel.update({ where: { id }, data: { artworkSha256, revision: { increment: 1 }, updatedAt: new Date() } })
  const channel = await lockChannelEvenInTrash(session, id)
  if (!channel) throw new AppError('NOT_FOUND', 'There is no such channel.')
  return channel
}
