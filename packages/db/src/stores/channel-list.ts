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

const COLUMNS = {
  created_at: 'id', // which grows with time
  updated_at: 'updated_at',
  name: 'name',
  slug: 'slug',
} as const satisfies Record<ChannelSort, string>

/** Counting goes no further: who looks at more than these pages knows that there are many. */
const MOST_COUNTED = 10_000

/** One page of the channels; `total` is counted up to `MOST_COUNTED`. Rejects with DATABASE_UNAVAILABLE. */
export async function listChannels(session: Session, request: ChannelListRequest): Promise<Page<Channel>> {
  const which = conditions(request)
  const { page, perPage, sort } = request
  const direction = request.order === 'asc' ? Prisma.sql`ASC` : Prisma.sql`DESC`
  const order = Prisma.sql`ORDER BY c.${Prisma.raw(COLUMNS[sort])} ${direction}, c.id ${direction}`
  const slice = Prisma.sql`LIMIT ${perPage} OFFSET ${(page - 1) * perPage}`
  const [items, [counted]] = await Promise.all([
    // First which they are: what belongs to a channel is read for these alone.
    readChannels(
      session,
      Prisma.sql`JOIN (SELECT c.id FROM channels c WHERE ${which} ${order} ${slice}) page USING (id) ${order}`,
    ),
    session.$queryRaw<{ total: number }[]>`
      SELECT count(*)::int AS total FROM (SELECT 1 FROM channels c WHERE ${which} LIMIT ${MOST_COUNTED}) counted`,
  ])
  return { items, total: counted!.total }
}

function conditions({ sight, privacy, search, genreId }: ChannelListRequest): Prisma.Sql {
  const all = [Prisma.sql`c.deleted_at IS NULL`, isIn(sight)]
  if (privacy !== undefined) all.push(Prisma.sql`c.privacy = ${privacy}::privacy`)
  if (search !== undefined) all.push(matches(search))
  if (genreId !== undefined) all.push(search === undefined ? isAmong(genreId) : has(genreId))
  return Prisma.join(all, ' AND ')
}

/** As an array: a join would go through all channels. */
function isAmong(genreId: number): Prisma.Sql {
  return Prisma.sql`c.id = ANY(ARRAY(SELECT g.channel_id FROM channel_genres g WHERE g.genre_id = ${genreId}))`
}

/** Asked of those that are left: it is the search that leaves few. */
function has(genreId: number): Prisma.Sql {
  return Prisma.sql`EXISTS (SELECT 1 FROM channel_genres g WHERE g.channel_id = c.id AND g.genre_id = ${genreId})`
}

function isIn(sight: Sight): Prisma.Sql {
  if (sight === 'everything') return Prisma.sql`true`
  if (sight === 'public') return Prisma.sql`c.privacy = 'public'`
  return Prisma.sql`(c.privacy = 'public' OR c.owner_id = ${sight.ownerId})`
}

/** In one of the texts, whatever its case; no text has a line break. There is an index of just this expression, for three characters and more. */
function matches(search: string): Prisma.Sql {
  // In LIKE, these three mean something.
  const pattern = `%${search.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`
  return Prisma.sql`lower(c.name || E'\\n' || c.slug || E'\\n' || c.description || E'\\n' || c.genre) LIKE lower(${pattern})`
}
