import type { Session } from '../database.ts'
import { Prisma } from '../generated/client.ts'
import { readChannels } from './channel-writes.ts'
import { inOrder, listIds, type ListLimits } from './list-ids.ts'
import type { Channel, ChannelSort, ListRequest, Page, Sight } from './records.ts'

export interface ChannelListRequest extends ListRequest<ChannelSort> {
  /** What is not in it, is neither listed nor found nor counted. */
  readonly sight: Sight
  readonly privacy?: Channel['privacy'] | undefined
  /** Only those that have it. */
  readonly genreId?: number | undefined
}

const COLUMNS = {
  created_at: 'id', // which grows with time
  updated_at: 'updated_at',
  name: 'name',
  slug: 'slug',
} as const satisfies Record<ChannelSort, string>

/** One page of the channels, counted as `listIds` does. Rejects with DATABASE_UNAVAILABLE. */
export async function listChannels(session: Session, request: ChannelListRequest, limits?: ListLimits): Promise<Page<Channel>> {
  const which = Prisma.sql`deleted_at IS NULL AND ${isIn(request)}`
  const table = request.sort === 'updated_at' ? 'channels' : 'channel_cards'
  const group = request.genreId === undefined ? undefined : ofGenre(request.genreId)
  const listed = { cards: 'channel_cards', searched: 'text', table, column: COLUMNS[request.sort], which, group } as const
  const { items: ids, total } = await listIds(session, listed, request, limits)
  const channels = await readChannels(session, Prisma.sql`WHERE id = ANY(${ids}) AND ${which}`)
  return { items: inOrder(ids, channels), total }
}

function ofGenre(genreId: number) {
  return {
    ids: Prisma.sql`SELECT channel_id FROM channel_genres WHERE genre_id = ${genreId}`,
    hasRow: Prisma.sql`EXISTS (SELECT 1 FROM channel_genres g WHERE g.channel_id = r.id AND g.genre_id = ${genreId})`,
  }
}

function isIn({ sight, privacy }: ChannelListRequest): Prisma.Sql {
  if (sight === 'everything') return privacy === undefined ? Prisma.sql`true` : Prisma.sql`privacy = ${privacy}::privacy`
  if (privacy === 'public') return Prisma.sql`privacy = 'public'`
  if (sight === 'public') return privacy === undefined ? Prisma.sql`privacy = 'public'` : Prisma.sql`false`
  if (privacy === 'private') return Prisma.sql`privacy = 'private' AND owner_id = ${sight.ownerId}`
  return Prisma.sql`(privacy = 'public' OR owner_id = ${sight.ownerId})`
}
