import { AppError } from '@skipcast/runtime'
import { isDuplicate } from '../database-errors.ts'
import type { Database, Session } from '../database.ts'
import { Prisma } from '../generated/client.ts'
import { newId } from '../new-id.ts'
import { changeChannel, type ChannelRows } from './change-channel.ts'
import { channelLanes } from './channel-lanes.ts'
import { requireRoom } from './channel-trash.ts'
import { listChannels, type ChannelListRequest } from './channel-list.ts'
import {
  CHANNEL_COLUMNS,
  enqueue,
  lockChannel,
  lockChannelEvenInTrash,
  readChannels,
  readTracks,
  toChannel,
  writeChannel,
  type ChannelRow,
} from './channel-writes.ts'
import { setGenres } from './genres.ts'
import type { Books, Channel, ChannelChange, MediaFile, NewChannel, Page, PlaylistTrack, ToCommand } from './records.ts'

/** Channels as wanted. Every method may reject with DATABASE_UNAVAILABLE. */
export interface ChannelStore {
  /**
   * `atMost`: so many channels of one owner, who is neither premium nor an admin. Rejects with CONFLICT when they have them, or the slug is taken, by a channel
   * in the trash too; NOT_FOUND for an unknown genre.
   */
  create(channel: NewChannel, options?: { readonly atMost: number }): Promise<Channel>
  /** By id or slug; not in the trash. */
  find(idOrSlug: string): Promise<Channel | null>
  /** Searches names, slugs, descriptions and genres. */
  list(request: ChannelListRequest): Promise<Page<Channel>>
  /**
   * Changes a channel: `decide` sees it and says what to change (null: nothing), and the command for the agents is written with it, all or nothing.
   * What is written holds against the channel as it is at that moment: where it is not as it was `seen` any more, `decide` is asked
   * again. Rejects with NOT_FOUND, with CONFLICT when it would be on without a track, or with what `decide` throws.
   */
  change(seen: Channel | string, decide: (channel: Channel) => ChannelChange | null): Promise<Channel>
  /** Stops the channel and puts it into the trash, with all that belongs to it. Rejects with NOT_FOUND. */
  discard(seen: Channel): Promise<void>
  /**
   * Stops the channel, removes it for good, and its command; one in the trash, too. `deletedBefore`: only if it lies there since before then.
   * Resolves to its files, which may be nobody’s now. Rejects with NOT_FOUND.
   */
  remove(id: string, options?: { readonly deletedBefore: Date }): Promise<MediaFile[]>
  /** All channels that are not in the trash in order of id, beginning after `afterId`. */
  listFrom(afterId: string, limit: number): Promise<Channel[]>
  /** Wanted channels in order of id, beginning after `afterId`, with their playlists. */
  listWanted(afterId: string, limit: number): Promise<{ channel: Channel; tracks: PlaylistTrack[] }[]>
  /** Those of these channels that there are, in the trash too, with their playlists. */
  listStates(ids: readonly string[]): Promise<{ channel: Channel; tracks: PlaylistTrack[] }[]>
  /** The ids of the channels of which something was commanded since then, the latest first. */
  listCommandedSince(since: Date, limit: number): Promise<string[]>
  /**
   * Wanted channels that may need other servers, oldest first: all but those that have as many as they want, all of these among the `settled` ones, with the
   * labels that they ask for and where they are pinned to, and wait for the end of no track on another server.
   */
  listMisplaced(settled: readonly Labelled[], limit: number): Promise<Channel[]>
  /** What the servers carry, by what is wanted. */
  readBooks(): Promise<Books>
}

/** A server by what channels may ask of it. */
interface Labelled {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
}

const LIST_MISPLACED = {
  name: 'list-misplaced',
  text: `
    WITH settled AS (SELECT id, labels FROM json_to_recordset($1::json) AS s (id text, labels jsonb))
    SELECT ${CHANNEL_COLUMNS} FROM channels c
      LEFT JOIN settled p ON p.id = c.server_id AND p.labels @> c.server_labels AND coalesce(p.id = c.pinned_server_id, true)
      LEFT JOIN settled s ON s.id = c.standby_server_id AND s.labels @> c.server_labels AND s.id <> p.id
        AND coalesce(s.id <> c.pinned_server_id, true)
    WHERE c.wanted = 'on' AND (p.id IS NULL OR (c.hand_over = 'track_end' AND NOT EXISTS (SELECT FROM settled f WHERE f.id = c.moved_from)) OR (c.replicas = 2) <> (c.standby_server_id IS NOT NULL) OR (c.replicas = 2 AND s.id IS NULL))
    ORDER BY c.id LIMIT $2`,
}

export function channelStore(database: Database, toCommand: ToCommand): ChannelStore {
  const lanes = channelLanes(database)
  const rows: ChannelRows = {
    ...lanes,
    changeLocked: (channelId, decide) =>
      database.transaction(async (session) => {
        const channel = await lockChannel(session, channelId)
        const change = decide(channel)
        return change ? writeChannel(session, channel, change, toCommand) : channel
      }),
  }

  return {
    create({ genreIds = [], ...channel }, options) {
      const id = newId()
      const work = database.transaction(async (session) => {
        if (options) await requireRoom(session, channel.ownerId, 1, options.atMost)
        await session.channel.create({ data: { ...channel, id } })
        if (genreIds.length > 0) {
          const { genre } = await setGenres(session, id, genreIds)
          await session.channel.update({ where: { id }, data: { genre } })
        }
        return (await readChannels(session, Prisma.sql`WHERE c.id = ${id}`))[0]!
      })
      return work.catch((error: unknown) => {
        if (isDuplicate(error)) throw new AppError('CONFLICT', `The slug "${channel.slug}" is taken. Choose another.`)
        throw error
      })
    },

    find: (idOrSlug) => lanes.find(idOrSlug),

    list(request) {
      return database.run((client) => listChannels(client, request))
    },

    change: (seen, decide) => changeChannel(rows, toCommand, seen, decide),

    async discard(seen) {
      await changeChannel(rows, toCommand, seen, () => ({ wanted: 'off', deletedAt: new Date() }))
    },

    remove(id, options) {
      return database.transaction(async (session) => {
        const channel = await lockChannelEvenInTrash(session, id)
        const isDue = !options || (channel?.deletedAt && channel.deletedAt < options.deletedBefore)
        if (!channel || !isDue) throw new AppError('NOT_FOUND', 'There is no such channel.')
        if (channel.wanted === 'on') await writeChannel(session, channel, { wanted: 'off' }, toCommand)
        await enqueue(session, 'streamCommands', id, null)
        await session.channel.delete({ where: { id } })
        const { artworkSha256: sha256 } = channel
        return sha256 === null ? [] : [{ kind: 'covers', sha256 }]
      })
    },

    listFrom(afterId, limit) {
      return database.run((client) =>
        readChannels(client, Prisma.sql`WHERE c.id > ${afterId} AND c.deleted_at IS NULL ORDER BY c.id LIMIT ${limit}`),
      )
    },

    listWanted(afterId, limit) {
      return database.run(async (client) => {
        const which = Prisma.sql`WHERE c.wanted = 'on' AND c.id > ${afterId} ORDER BY c.id LIMIT ${limit}`
        return withTracks(client, await readChannels(client, which))
      })
    },

    listStates(ids) {
      return database.run(async (client) =>
        withTracks(client, await readChannels(client, Prisma.sql`WHERE c.id = ANY(${[...ids]})`)),
      )
    },

    listCommandedSince(since, limit) {
      return database.run(async (client) => {
        const where = { commandedAt: { gte: since } }
        const rows = await client.channel.findMany({ where, select: { id: true }, orderBy: { commandedAt: 'desc' }, take: limit })
        return rows.map(({ id }) => id)
      })
    },

    async listMisplaced(settled, limit) {
      const pictures = JSON.stringify(settled.map(({ id, labels }) => ({ id, labels })))
      return (await database.query<ChannelRow>(LIST_MISPLACED, [pictures, limit])).map(toChannel)
    },

    readBooks: () => lanes.readBooks(undefined),
  }
}

function withTracks(session: Session, channels: Channel[]): Promise<{ channel: Channel; tracks: PlaylistTrack[] }[]> {
  return Promise.all(channels.map(async (channel) => ({ channel, tracks: await readTracks(session, channel.id) })))
}
