import type { Database } from '../database.ts'
import { pageOf } from './lists.ts'
import type { Page, PageRequest, Span, TrackPlay } from './records.ts'

/** The as-run log. Every method may reject with DATABASE_UNAVAILABLE. */
export interface TrackPlayStore {
  /** Told twice, it stands there once; nothing happens for a channel that is gone. */
  record(play: TrackPlay): Promise<void>
  /** Newest first. */
  list(channelId: string, span: Span, page: PageRequest): Promise<Page<TrackPlay>>
}

export function trackPlayStore(database: Database): TrackPlayStore {
  return {
    async record({ id, channelId, mediaId, title, artist, serverId, startedAt }) {
      await database.run(
        (client) => client.$executeRaw`
          INSERT INTO track_plays (id, channel_id, media_id, title, artist, server_id, started_at)
          SELECT ${id}, id, ${mediaId}, ${title}, ${artist}, ${serverId}, ${startedAt} FROM channels WHERE id = ${channelId}
          ON CONFLICT (id) DO NOTHING`,
      )
    },
    list(channelId, { from, to }, request) {
      return database.run((client) => {
        const where = { channelId, startedAt: { gte: from, lt: to } }
        const orderBy = [{ startedAt: 'desc' as const }, { id: 'desc' as const }]
        const find = (slice: object) => client.trackPlay.findMany({ where, orderBy, ...slice })
        return pageOf(request, find, client.trackPlay.count({ where }), (row): TrackPlay => row)
      })
    },
  }
}
