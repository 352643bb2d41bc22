import type { Database } from '../database.ts'
import { inBatches } from '../in-batches.ts'
import type { ListenerCount, ListenerPoint, Span } from './records.ts'

/** A count that nobody has confirmed for so long is not shown any more. */
export const COUNT_STALE_AFTER_MS = 120_000

/** How many listen, and listened. Every method may reject with DATABASE_UNAVAILABLE. */
export interface ListenerCountStore {
  /**
   * Keeps it as the last count if it is the newest, and as part of its minute. One that was told before, or is older than the last of its
   * minute, changes nothing there; nor does one for a channel that is gone.
   */
  record(count: ListenerCount): Promise<void>
  find(channelId: string): Promise<ListenerCount | null>
  /** All that were counted since then. */
  total(since: Date): Promise<number>
  /** By steps from `from` on; those of which nothing is known are left out. What has become hours stands at the beginning of each. */
  history(channelId: string, span: Span, stepMs: number): Promise<ListenerPoint[]>
}

const FIND = {
  name: 'find-listener-counts',
  text: `SELECT channel_id AS "channelId", count, peak, observed_at AS "observedAt" FROM listener_counts WHERE channel_id = ANY($1)`,
}

export function listenerCountStore(database: Database): ListenerCountStore {
  const find = inBatches<string, ListenerCount | null>(async (ids) => {
    const counts = await database.query<ListenerCount>(FIND, [ids])
    const byChannel = new Map(counts.map((count) => [count.channelId, count]))
    return ids.map((id) => byChannel.get(id) ?? null)
  })

  return {
    async record({ channelId, count, peak, observedAt }) {
      await database.run(
        (client) => client.$executeRaw`
          WITH known AS (SELECT id FROM channels WHERE id = ${channelId}),
          last AS (
            INSERT INTO listener_counts (channel_id, count, peak, observed_at)
            SELECT id, ${count}, ${peak}, ${observedAt} FROM known
            ON CONFLICT (channel_id) DO UPDATE SET count = excluded.count, peak = excluded.peak, observed_at = excluded.observed_at
            WHERE listener_counts.observed_at < excluded.observed_at
          )
          INSERT INTO listener_minutes AS m (channel_id, at, min, max, area_ms, first_at, last_at, last_count)
          SELECT id, date_trunc('minute', ${observedAt}::timestamptz), ${count}, ${count}, 0, ${observedAt}, ${observedAt}, ${count} FROM known
          ON CONFLICT (channel_id, at) DO UPDATE SET
            min = least(m.min, excluded.min), max = greatest(m.max, excluded.max),
            area_ms = m.area_ms + m.last_count * 1000 * extract(epoch FROM excluded.last_at - m.last_at),
            last_at = excluded.last_at, last_count = excluded.last_count
          WHERE m.last_at < excluded.last_at`,
      )
    },

    find,

    async total(since) {
      const where = { observedAt: { gte: since } }
      const { _sum } = await database.run((client) => client.listenerCount.aggregate({ where, _sum: { count: true } }))
      return _sum.count ?? 0
    },

    history(channelId, { from, to }, stepMs) {
      return database.run(
        (client) => client.$queryRaw<ListenerPoint[]>`
          SELECT date_bin(${stepMs}::float8 * interval '1 ms', at, ${from}::timestamptz) AS at,
            min(min) AS min, max(max) AS max, sum(mean * minutes) / sum(minutes) AS mean
          FROM (
            SELECT at, min, max, mean, 1 AS minutes FROM listener_minute_means WHERE channel_id = ${channelId}
            UNION ALL
            SELECT at, min, max, mean, minutes FROM listener_hours WHERE channel_id = ${channelId}
          ) known
          WHERE at >= ${from}::timestamptz AND at < ${to}::timestamptz GROUP BY 1 ORDER BY 1`,
      )
    },
  }
}
