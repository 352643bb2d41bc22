import type { Session } from '../database.ts'
import { Prisma } from '../generated/client.ts'
import type { ListRequest, Page } from './records.ts'

/** What is listed. Names are our own text, and become part of the SQL; conditions are of a row `r`, be it of `table` or a card. */
export interface Listed {
  /** What it is searched by. */
  readonly cards: 'channel_cards' | 'media_cards'
  /** What is searched: all that is searched for at all, or a part of it. */
  readonly searched: 'text' | 'public_text'
  /** The table with `column`: the cards, if it is on them. */
  readonly table: 'channels' | 'channel_cards' | 'media_cards'
  /** What it is sorted by; there is an index of it and the id. */
  readonly column: string
  /** Which there are at all, for whoever asks. */
  readonly which: Prisma.Sql
  /** Only those of a group: a query of the ids in it, and whether a row is. */
  readonly group?: { readonly ids: Prisma.Sql; readonly hasRow: Prisma.Sql } | undefined
}

/** How far a list goes into what is many. */
export interface ListLimits {
  /** Counting goes no further: who looks at more than these pages knows that there are many. */
  readonly counted: number
  /** More are not gathered: of 100,000, walking comes past one of so many often enough. */
  readonly gathered: number
  /** So many of the newest are asked first whether they have what is searched. */
  readonly sampled: number
}

const LIMITS: ListLimits = { counted: 10_000, gathered: 20_000, sampled: 200 }
/** Where one of so many of the newest has it, walking comes past it often. */
const OFTEN = 4

/** A way to find few by an index, and what must hold for them besides. */
interface Way {
  readonly by: Prisma.Sql
  readonly and: Prisma.Sql
}

/**
 * The ids of one page; `total` is counted up to a limit. What a group has, or a search finds, is gathered by an index and then sorted. Where that is too much, or
 * by the newest is likely to be, and where all are listed, rows are walked in the order asked for until the page is full. Rejects with DATABASE_UNAVAILABLE.
 */
export async function listIds(
  session: Session,
  listed: Listed,
  request: ListRequest<string>,
  limits = LIMITS,
): Promise<Page<string>> {
  const { which, group, cards, searched, table } = listed
  const { search } = request
  const inGroup = group?.hasRow ?? Prisma.sql`true`
  const isFound = search === undefined ? Prisma.sql`true` : contains(Prisma.raw(`r.${searched}`), search)
  const ways: Way[] = []
  if (group) ways.push({ by: Prisma.sql`r.id = ANY(ARRAY(${group.ids} LIMIT ${limits.gathered + 1}))`, and: isFound })
  if (search !== undefined && !(await isOften(session, cards, isFound, limits.sampled)))
    ways.push({ by: Prisma.sql`${hasGrams(search)} AND ${isFound}`, and: inGroup })
  let atLeast = 0
  for (const { by, and } of ways) {
    const { seen, ids } = await gather(session, listed, request, {
      by,
      and: Prisma.sql`${which} AND ${and}`,
      most: limits.gathered,
    })
    if (ids) return { items: ids, total: Math.min(seen, limits.counted) }
    atLeast = Math.max(atLeast, seen)
  }
  const text =
    table === cards
      ? Prisma.raw(`r.${searched}`)
      : Prisma.sql`(SELECT card.${Prisma.raw(searched)} FROM ${Prisma.raw(cards)} card WHERE card.id = r.id)`
  const isFoundThere = search === undefined ? isFound : contains(text, search)
  const shown = Prisma.sql`${which} AND ${inGroup}`
  const page = session.$queryRaw<{ id: string }[]>`
    SELECT r.id FROM ${Prisma.raw(table)} r WHERE ${shown} AND ${isFoundThere} ${sliceOf(`r.${listed.column}`, request)}`
  const count = Prisma.sql`SELECT 1 FROM ${Prisma.raw(cards)} r WHERE ${shown} AND ${isFound} LIMIT ${limits.counted}`
  const [items, total] = await Promise.all([page, atLeast >= limits.counted ? limits.counted : countOf(session, count)])
  return { items: items.map(({ id }) => id), total }
}

async function countOf(session: Session, rows: Prisma.Sql): Promise<number> {
  const [counted] = await session.$queryRaw<{ total: number }[]>`SELECT count(*)::int AS total FROM (${rows}) counted`
  return counted!.total
}

async function isOften(session: Session, cards: Listed['cards'], isFound: Prisma.Sql, sampled: number): Promise<boolean> {
  const newest = Prisma.sql`SELECT * FROM ${Prisma.raw(cards)} WHERE deleted_at IS NULL ORDER BY id DESC LIMIT ${sampled}`
  return OFTEN * (await countOf(session, Prisma.sql`SELECT 1 FROM (${newest}) r WHERE ${isFound}`)) >= sampled
}

/** `seen`: for how many of what was found all holds. `ids`: null, where more was found than is gathered. */
async function gather(
  session: Session,
  { table, cards, column }: Listed,
  request: ListRequest<string>,
  { by, and, most }: Way & { readonly most: number },
): Promise<{ readonly seen: number; readonly ids: string[] | null }> {
  const isOnCard = table === cards
  const place = isOnCard ? 'r.place' : `(SELECT o.${column} FROM ${table} o WHERE o.id = r.id)`
  const [page] = await session.$queryRaw<{ seen: number; ids: string[] | null }[]>`
    WITH found AS MATERIALIZED (
      SELECT r.id, ${isOnCard ? Prisma.raw(`r.${column}`) : Prisma.sql`NULL`} AS place, (${and}) AS is_seen FROM ${Prisma.raw(cards)} r WHERE ${by}
      LIMIT ${most + 1}
    )
    SELECT count(*) FILTER (WHERE is_seen)::int AS seen,
      CASE WHEN count(*) <= ${most} THEN ARRAY(SELECT r.id FROM found r WHERE is_seen ${sliceOf(place, request)}) END AS ids
    FROM found`
  return page!
}

/** Among equals in order of age, so that pages never overlap. */
function sliceOf(place: string, { order, page, perPage }: ListRequest<string>): Prisma.Sql {
  const direction = Prisma.raw(order === 'asc' ? 'ASC' : 'DESC')
  return Prisma.sql`ORDER BY ${Prisma.raw(place)} ${direction}, r.id ${direction} LIMIT ${perPage} OFFSET ${(page - 1) * perPage}`
}

/** There is an index of these: whatever contains the text has them. */
function hasGrams(search: string): Prisma.Sql {
  const text = Prisma.sql`lower(${search}::text)`
  return Prisma.sql`search_grams(r.text, 1) @> search_grams(${text}, least(3, char_length(${text})))`
}

function contains(text: Prisma.Sql, search: string): Prisma.Sql {
  // In LIKE, these three mean something. What is searched has a line for each text, and no search has a line break.
  const pattern = `%${search.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`
  return Prisma.sql`${text} LIKE lower(${pattern}::text)`
}

/** The rows of a page as it names them; one that has gone meanwhile is left out. */
export function inOrder<Row extends { readonly id: string }>(ids: readonly string[], rows: readonly Row[]): Row[] {
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}
