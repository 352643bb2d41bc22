import { AppError } from '@skipcast/runtime'
import { isDangling, isDuplicate } from '../database-errors.ts'
import type { Database, Session } from '../database.ts'
import { pageOf } from './lists.ts'
import type { Channel, Genre, Page, PageRequest } from './records.ts'

/** What kinds of music and talk there are, and which pieces are of them; which channels are, `ChannelStore` keeps. Every method may reject with DATABASE_UNAVAILABLE. */
export interface GenreStore {
  /** In order of their names. */
  list(page: PageRequest): Promise<Page<Genre>>
  /** By name, as it is spelled. */
  findByName(name: string): Promise<Genre | null>
  /** By slug, by name as it is spelled, or by id. */
  find(text: string): Promise<Genre | null>
  /** Rejects with CONFLICT when the name or the slug is taken, or there are too many. */
  create(genre: Omit<Genre, 'id'>): Promise<Genre>
  /** Rejects with NOT_FOUND, or CONFLICT while a channel or a piece has it. */
  remove(id: number): Promise<void>
  /** Of a piece, in order. */
  ofMedia(mediaId: string): Promise<number[]>
  /** Those that it has already stay. Resolves with all of them. Rejects with NOT_FOUND for the piece or a genre, CONFLICT for too many. */
  attachToMedia(mediaId: string, genreIds: readonly number[]): Promise<number[]>
  /** Those that it does not have do not matter. Resolves with those that are left. Rejects with NOT_FOUND for the piece. */
  detachFromMedia(mediaId: string, genreIds: readonly number[]): Promise<number[]>
}

/** Most genres that one channel or piece has. */
export const MOST_GENRES_EACH = 10
const MOST_GENRES = 1_000_000
const ID = /^[0-9]{1,9}$/

export function genreStore(database: Database): GenreStore {
  const find = (where: object) => database.run((client) => client.genre.findFirst({ where, orderBy: { id: 'asc' } }))

  return {
    list(page) {
      return database.run((client) => {
        const read = (slice: object) => client.genre.findMany({ orderBy: { name: 'asc' }, ...slice })
        return pageOf(page, read, client.genre.count(), (genre) => genre)
      })
    },

    findByName: (name) => find({ name }),
    find: (text) => find({ OR: [{ slug: text }, { name: text }, ...(ID.test(text) ? [{ id: Number(text) }] : [])] }),

    create(genre) {
      const work = database.transaction(async (session) => {
        if ((await session.genre.count()) >= MOST_GENRES) throw new AppError('CONFLICT', `There are up to ${MOST_GENRES} genres.`)
        return session.genre.create({ data: genre })
      })
      return work.catch((error: unknown) => {
        if (isDuplicate(error)) throw new AppError('CONFLICT', `There is a genre of that name, or with the slug "${genre.slug}".`)
        throw error
      })
    },

    async remove(id) {
      const work = database.run((client) => client.genre.deleteMany({ where: { id } }))
      const { count } = await work.catch((error: unknown) => {
        if (isDangling(error)) throw new AppError('CONFLICT', 'Channels or media have this genre. Take it off them first.')
        throw error
      })
      if (count === 0) throw new AppError('NOT_FOUND', 'There is no such genre.')
    },

    ofMedia: (mediaId) => database.run((client) => readMediaGenres(client, mediaId)),

    attachToMedia(mediaId, genreIds) {
      return database.transaction(async (session) => {
        await lockMedia(session, mediaId)
        await requireGenres(session, genreIds)
        await session.mediaGenre.createMany({
          data: [...new Set(genreIds)].map((genreId) => ({ mediaId, genreId })),
          skipDuplicates: true,
        })
        const all = await readMediaGenres(session, mediaId)
        requireFew(all)
        return all
      })
    },

    detachFromMedia(mediaId, genreIds) {
      return database.transaction(async (session) => {
        await lockMedia(session, mediaId)
        await session.mediaGenre.deleteMany({ where: { mediaId, genreId: { in: [...genreIds] } } })
        return readMediaGenres(session, mediaId)
      })
    },
  }
}

/** Gives a locked channel exactly these genres. Resolves with what its row says of them. Rejects with NOT_FOUND for an unknown one, CONFLICT for too many. */
export async function setGenres(
  session: Session,
  channelId: string,
  genreIds: readonly number[],
): Promise<Pick<Channel, 'genreIds' | 'genre'>> {
  requireFew(genreIds)
  const genres = await requireGenres(session, genreIds)
  await session.channelGenre.deleteMany({ where: { channelId } })
  await session.channelGenre.createMany({ data: genres.map(({ id }) => ({ channelId, genreId: id })) })
  return { genreIds: genres.map(({ id }) => id), genre: genres.map(({ name }) => name).join(', ') }
}

/** In order of their ids. They can not go before the transaction ends. */
async function requireGenres(session: Session, genreIds: readonly number[]): Promise<Genre[]> {
  const ids = [...new Set(genreIds)]
  const genres = await session.$queryRaw<Genre[]>`SELECT id, name, slug FROM genres WHERE id = ANY(${ids}) ORDER BY id FOR SHARE`
  const missing = ids.filter((id) => !genres.some((genre) => genre.id === id))
  if (missing.length === 0) return genres
  throw new AppError('NOT_FOUND', 'Some of these genres do not exist. See GET /api/genres.', { details: { genre_ids: missing } })
}

async function readMediaGenres(session: Session, mediaId: string): Promise<number[]> {
  const rows = await session.mediaGenre.findMany({ where: { mediaId }, orderBy: { genreId: 'asc' } })
  return rows.map(({ genreId }) => genreId)
}

async function lockMedia(session: Session, id: string): Promise<void> {
  const found = await session.$queryRaw<unknown[]>`SELECT 1 FROM media WHERE id = ${id} FOR NO KEY UPDATE`
  if (found.length === 0) throw new AppError('NOT_FOUND', 'There is no such media.')
}

function requireFew(genreIds: readonly number[]): void {
  if (new Set(genreIds).size > MOST_GENRES_EACH) throw new AppError('CONFLICT', `Up to ${MOST_GENRES_EACH} genres are possible.`)
}
