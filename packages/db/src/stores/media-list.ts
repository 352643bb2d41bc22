import type { Session } from '../database.ts'
import { Prisma } from '../generated/client.ts'
import { inOrder, listIds } from './list-ids.ts'
import { toMediaList } from './media-writes.ts'
import type { ListRequest, Media, MediaFilter, MediaSort, Page } from './records.ts'

const COLUMNS = {
  created_at: 'id', // which grows with time
  title: 'title',
  artist: 'artist',
  duration_ms: 'duration_ms',
} as const satisfies Record<MediaSort, string>

/** One page of the media, counted as `listIds` does. Rejects with DATABASE_UNAVAILABLE. */
export async function listMedia(session: Session, filter: MediaFilter, request: ListRequest<MediaSort>): Promise<Page<Media>> {
  const which = conditions(filter)
  const searched = filter.visibility === 'public' ? 'public_text' : 'text'
  const listed = { cards: 'media_cards', searched, table: 'media_cards', column: COLUMNS[request.sort], which } as const
  const { items: ids, total } = await listIds(session, listed, request)
  return { items: await readMedia(session, ids), total }
}

/** These pieces, in this order; one that has gone meanwhile is left out. */
export async function readMedia(session: Session, ids: readonly string[]): Promise<Media[]> {
  const rows = await session.media.findMany({ where: { id: { in: [...ids] } } })
  return toMediaList(session, inOrder(ids, rows))
}

function conditions({ ownerId, isTrashed, state, kind, visibility }: MediaFilter): Prisma.Sql {
  const all = [isTrashed ? Prisma.sql`deleted_at IS NOT NULL` : Prisma.sql`deleted_at IS NULL`]
  if (ownerId !== null) all.push(Prisma.sql`owner_id = ${ownerId}`)
  if (state !== undefined) all.push(Prisma.sql`state = ${state}::media_state`)
  if (kind !== undefined) all.push(Prisma.sql`kind = ${kind}::media_kind`)
  if (visibility !== undefined) all.push(Prisma.sql`visibility = ${visibility}::visibility`)
  return Prisma.join(all, ' AND ')
}
