import type { Track } from '@skipcast/contracts'
import { AppError } from '@skipcast/runtime'
import { isDuplicate } from '../database-errors.ts'
import type { Database } from '../database.ts'
import { newId } from '../new-id.ts'
import { enqueue, lockChannel, readTracks, toChannel, writeChannel } from './channel-writes.ts'
import { matching, orderOf, pageOf } from './lists.ts'
import type { Channel, ChannelChange, ChannelSort, ListRequest, NewChannel, Page, ToCommand } from './records.ts'

/** Channels as wanted. Every method may reject with DATABASE_UNAVAILABLE. */
export interface ChannelStore {
  /** Rejects with CONFLICT when the slug is taken. */
  create(channel: NewChannel): Promise<Channel>
  /** By id or slug. */
  find(idOrSlug: string): Promise<Channel | null>
  /** Searches names, slugs, descriptions and genres. `genre`: of exactly this one. */
  list(request: ListRequest<ChannelSort> & { readonly genre?: string | undefined }): Promise<Page<Channel>>
  /**
   * Changes a channel in one transaction: its row is locked, `decide` sees it as it is now and says what to change (null:
   * nothing), and the command for the agents is written with it. Rejects with NOT_FOUND, with CONFLICT when it would be on without
   * a track, or with what `decide` throws.
   */
  change(id: string, decide: (channel: Channel) => ChannelChange | null): Promise<Channel>
  /** Stops the channel, removes it and its command. Rejects with NOT_FOUND. */
  remove(id: string): Promise<void>
  /** All channels in order of id, beginning after `afterId`. */
  listFrom(afterId: string, limit: number): Promise<Channel[]>
  /** Wanted channels in order of id, beginning after `afterId`, with their playlists. */
  listWanted(afterId: string, limit: number): Promise<{ channel: Channel; tracks: Track[] }[]>
  /** Wanted channels that no server has, oldest first. */
  listUnplaced(limit: number): Promise<Channel[]>
  /** How many wanted channels of each mode each server has. */
  countPlaced(): Promise<PlacedCount[]>
}

export interface PlacedCount {
  readonly serverId: string
  readonly mode: Channel['mode']
  readonly channels: number
}

export function channelStore(database: Database, toCommand: ToCommand): ChannelStore {
  return {
    async create(channel) {
      const work = database.run((client) => client.channel.create({ data: { ...channel, id: newId() } }))
      return toChannel(
        await work.catch((error: unknown) => {
          if (isDuplicate(error)) throw new AppError('CONFLICT', `The slug "${channel.slug}" is taken. Choose another.`)
          throw error
        }),
      )
    },

    async find(idOrSlug) {
      const where = isId(idOrSlug) ? { id: idOrSlug } : { slug: idOrSlug }
      const row = await database.run((client) => client.channel.findUnique({ where }))
      return row && toChannel(row)
    },

    list({ genre, ...request }) {
      return database.run((client) => {
        const searched = matching(['name', 'slug', 'description', 'genre'], request.search)
        const where = genre === undefined ? searched : { AND: [searched, { genre }] }
        const orderBy = orderOf(request, { created_at: 'id', updated_at: 'updatedAt', name: 'name', slug: 'slug' })
        const find = (slice: object) => client.channel.findMany({ where, orderBy, ...slice })
        return pageOf(request, find, client.channel.count({ where }), toChannel)
      })
    },

    change(id, decide) {
      return database.transaction(async (session) => {
        const channel = await lockChannel(session, id)
        const change = decide(channel)
        return change ? writeChannel(session, channel, change, toCommand) : channel
      })
    },

    async remove(id) {
      await database.transaction(async (session) => {
        const channel = await lockChannel(session, id)
        if (channel.wanted === 'on') await writeChannel(session, channel, { wanted: 'off' }, toCommand)
        await enqueue(session, 'streamCommands', id, null)
        await session.channel.delete({ where: { id } })
      })
    },

    listFrom(afterId, limit) {
      return database.run(async (client) => {
        const rows = await client.channel.findMany({ where: { id: { gt: afterId } }, orderBy: { id: 'asc' }, take: limit })
        return rows.map(toChannel)
      })
    },

    listWanted(afterId, limit) {
      return database.run(async (client) => {
        const where = { wanted: 'on', id: { gt: afterId } } as const
        const rows = await client.channel.findMany({ where, orderBy: { id: 'asc' }, take: limit })
        return Promise.all(rows.map(async (row) => ({ channel: toChannel(row), tracks: await readTracks(client, row.id) })))
      })
    },

    listUnplaced(limit) {
      return database.run(async (client) => {
        const where = { wanted: 'on', serverId: null } as const
        return (await client.channel.findMany({ where, orderBy: { id: 'asc' }, take: limit })).map(toChannel)
      })
    },

    countPlaced() {
      return database.run(
        (client) => client.$queryRaw<PlacedCount[]>`
          SELECT server_id AS "serverId", mode::text AS mode, count(*)::int AS channels
          FROM channels WHERE wanted = 'on' AND server_id IS NOT NULL GROUP BY server_id, mode`,
      )
    },
  }
}

/** No slug looks like an id: `isSlug` in the API sees to that. */
function isId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
}
