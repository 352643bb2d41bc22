import type { MessageOf } from '@skipcast/contracts'
import { AppError } from '@skipcast/runtime'
import { isDangling } from '../database-errors.ts'
import type { Database, Session } from '../database.ts'
import { newId } from '../new-id.ts'
import { enqueue } from './channel-writes.ts'
import { pageOf } from './lists.ts'
import type { Page, PageRequest, Review } from './records.ts'

/** What somebody can like. */
type Likeable = { readonly channelId: string } | { readonly mediaId: string }

/** What people think of channels and pieces, and that they looked at channels. Every method may reject with DATABASE_UNAVAILABLE. */
export interface OpinionStore {
  /** Resolves with how many like it now; who likes it already changes nothing, and nothing is told. Rejects with NOT_FOUND when it has just gone. */
  like(liked: Likeable, userId: string, told: MessageOf<'userInteractions'>): Promise<number>
  unlike(liked: Likeable, userId: string): Promise<number>
  /** Newest first; of nobody who is deleted, which may be before they are erased. */
  listReviews(channelId: string, page: PageRequest): Promise<Page<Review>>
  findReview(channelId: string, id: string): Promise<Review | null>
  /** In place of what they said before. Rejects with NOT_FOUND when the channel has just gone. */
  review(channelId: string, userId: string, text: string): Promise<Review>
  removeReview(id: string): Promise<void>
  /** Counts who has not looked yet on this day; one that is gone has no views. */
  countView(channelId: string, day: Date, viewer: string): Promise<void>
  /** Forgets who looked before this day; that they did stays counted. */
  forgetViewers(before: Date): Promise<void>
}

const COUNT_VIEW = {
  name: 'count-view',
  text: `
    WITH seen AS (
      INSERT INTO channel_views (channel_id, day, viewer) SELECT id, $2::date, $3 FROM channels WHERE id = $1 ON CONFLICT DO NOTHING RETURNING channel_id
    ) UPDATE channels c SET views = views + 1 FROM seen WHERE c.id = seen.channel_id`,
}
const BY_SOMEBODY = { user: { deletedAt: null } } as const
const AUTHOR = { user: { select: { username: true } } } as const

export function opinionStore(database: Database): OpinionStore {
  return {
    like(liked, userId, told) {
      const work = database.transaction(async (session) => {
        const likes = likesOf(session, liked)
        if ((await likes.add(userId)).count > 0) await enqueue(session, 'userInteractions', likes.key, told)
        return likes.count()
      })
      return work.catch(isGone)
    },

    unlike(liked, userId) {
      return database.run(async (client) => {
        const likes = likesOf(client, liked)
        await likes.remove(userId)
        return likes.count()
      })
    },

    listReviews(channelId, page) {
      return database.run((client) => {
        const where = { channelId, ...BY_SOMEBODY }
        const orderBy = [{ createdAt: 'desc' as const }, { id: 'desc' as const }]
        const find = (slice: object) => client.channelReview.findMany({ where, orderBy, ...slice, include: AUTHOR })
        return pageOf(page, find, client.channelReview.count({ where }), toReview)
      })
    },

    async findReview(channelId, id) {
      const row = await database.run((client) =>
        client.channelReview.findFirst({ where: { id, channelId, ...BY_SOMEBODY }, include: AUTHOR }),
      )
      return row && toReview(row)
    },

    async review(channelId, userId, text) {
      const said = { review: text, createdAt: new Date() }
      const where = { channelId_userId: { channelId, userId } }
      const work = database.run(async (client) => {
        // One statement, as long as nothing else is read with it: two at once would both find nothing and insert.
        await client.channelReview.upsert({ where, create: { id: newId(), channelId, userId, ...said }, update: said })
        return client.channelReview.findUnique({ where, include: AUTHOR })
      })
      const row = await work.catch(isGone)
      if (!row) throw new AppError('NOT_FOUND', 'There is no such channel.') // or the review was just taken back
      return toReview(row)
    },

    async removeReview(id) {
      await database.run((client) => client.channelReview.deleteMany({ where: { id } }))
    },

    async countView(channelId, day, viewer) {
      await database.query(COUNT_VIEW, [channelId, day.toISOString().slice(0, 10), viewer])
    },

    async forgetViewers(before) {
      await database.run((client) => client.channelView.deleteMany({ where: { day: { lt: before } } }))
    },
  }
}

/** The same of both kinds, each in a table of its own. */
function likesOf(session: Session, liked: Likeable) {
  if ('mediaId' in liked) {
    const rows = session.mediaLike
    return {
      key: liked.mediaId,
      add: (userId: string) => rows.createMany({ data: [{ ...liked, userId }], skipDuplicates: true }),
      remove: (userId: string) => rows.deleteMany({ where: { ...liked, userId } }),
      count: () => rows.count({ where: liked }),
    }
  }
  const rows = session.channelLike
  return {
    key: liked.channelId,
    add: (userId: string) => rows.createMany({ data: [{ ...liked, userId }], skipDuplicates: true }),
    remove: (userId: string) => rows.deleteMany({ where: { ...liked, userId } }),
    count: () => rows.count({ where: liked }),
  }
}

function isGone(error: unknown): never {
  if (isDangling(error)) throw new AppError('NOT_FOUND', 'It was deleted a moment ago.')
  throw error
}

function toReview(row: {
  id: string
  channelId: string
  userId: string
  review: string
  createdAt: Date
  user: { username: string }
}): Review {
  const { id, channelId, userId, review, createdAt, user } = row
  return { id, channelId, userId, author: user.username, text: review, createdAt }
}
