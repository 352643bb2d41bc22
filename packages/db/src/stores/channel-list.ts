import type { Session } from '../database.ts'
import { Prisma } from '../generated/client.ts'
import { readChannels } from './channel-writes.ts'
import type { Channel, ChannelSort, ListRequest, Page, Sight } from './records.ts'

export interface ChannelListRequest extends ListRequest<ChannelSort> {
  /** What is not in it, is neither listed nor found nor counted. */
  readonly sight: Sight
  readonly privacy?: Channel['privacy'] | undefined
  /** Only those that have it. */
  readonly genreId?: number | undefined
}

const COLUMNS: Readonly<Record<ChannelSort, Prisma.Sql>> = {
  created_at: Prisma.sql`c.id`,
  updated_at: Prisma.sql`c.updated_at`,
  name: Prisma.sql`c.name`,
  slug: Prisma.sql`c.slug`,
}

/** One page of the channels. Rejects with DATABASE_UNAVAILABLE. */
export async function listChannels(session: Session, request: ChannelListRequest): Promise<Page<Channel>> {
  const which = conditions(request)
  const { page, perPage, sort } = request
  const direction = request.order === 'asc' ? Prisma.sql`ASC` : Prisma.sql`DESC`
  const [items, [counted]] = await Promise.all([
    readChannels(
      session,
      Prisma.sql`WHERE ${which} ORDER BY ${COLUMNS[sort]} ${direction}, c.id ${direction} LIMIT ${perPage} OFFSET ${(page - 1) * perPage}`,
    ),
    session.$queryRaw<{ total: number }[]>`SELECT count(*)::int AS total FROM channels c WHERE ${which}`,
  ])
  return { items, total: counted!.total }
}

function conditions({ sight, privacy, search, genreId }: ChannelListRequest): Prisma.Sql {
  const all = [Prisma.sql`c.deleted_at IS NULL`, isIn(sight)]
  if (privacy !== undefined) all.push(Prisma.sql`c.privacy = ${privacy}::privacy`)
  if (search !== undefined) all.push(matches(search))
  if (genreId !== undefined)
    all.push(Prisma.sql`EXISTS (SELECT 1 FROM channel_genres g WHERE g.channel_id = c.id AND g.genre_id = ${genreId})`)
  return Prisma.join(all, ' AND ')
}

function isIn(sight: Sight): Prisma.Sql {
  if (sight === 'everything') return Prisma.sql`true`
  if (sight === 'public') return Prisma.sql`c.privacy = 'public'`
  return Prisma.sql`(c.privacy = 'public' OR c.owner_id = ${sight.ownerId})`
}

/** In one of the texts, whatever its case. */
function matches(search: string): Prisma.Sql {
  // In LIKE, these three mean something.
  const pattern = `%${search.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`
  return Prisma.sql`(c.name ILIKE ${pattern} OR c.slug ILIKE ${pattern} OR c.description ILIKE ${pattern} OR c.genre ILIKE ${pattern})`
}
