import type { ListRequest, Page, PageRequest } from './records.ts'

/** What the lists have in common: a page of them, their order, what they are searched for. */

/** One page: its rows and how many there are in all. */
export async function pageOf<Row, Item>(
  { page, perPage }: PageRequest,
  find: (slice: { skip: number; take: number }) => Promise<Row[]>,
  count: Promise<number>,
  show: (row: Row) => Item,
): Promise<Page<Item>> {
  const [rows, total] = await Promise.all([find({ skip: (page - 1) * perPage, take: perPage }), count])
  return { items: rows.map(show), total }
}

/** The order asked for, by the column that stands for it; among equals in order of age, so that pages never overlap. */
export function orderOf<Sort extends string, Column extends string>(
  { sort, order }: ListRequest<Sort>,
  columns: Readonly<Record<Sort, Column>>,
): { [K in Column | 'id']?: 'asc' | 'desc' }[] {
  const column = columns[sort]
  const first = { [column]: order } as { [K in Column | 'id']?: 'asc' | 'desc' }
  return column === 'id' ? [first] : [first, { id: order }]
}

/** Rows with the text in one of these columns, whatever its case; all rows where nothing is searched for. */
export function matching<Column extends string>(columns: readonly Column[], search: string | undefined) {
  if (search === undefined) return {}
  // In LIKE, these three mean something.
  const contains = search.replaceAll(/[\\%_]/g, String.raw`\$&`)
  return { OR: columns.map((column) => ({ [column]: { contains, mode: 'insensitive' as const } })) as Record<Column, object>[] }
}
