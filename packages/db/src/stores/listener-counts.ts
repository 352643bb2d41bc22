import type { Database } from '../database.ts'
import type { ListenerCount } from './records.ts'

/** The last number of listeners that metrics told of each channel. Every method may reject with DATABASE_UNAVAILABLE. */
export interface ListenerCountStore {
  /** Keeps it if it is the newest; nothing happens for a channel that is gone. */
  record(count: ListenerCount): Promise<void>
  find(channelId: string): Promise<ListenerCount | null>
}

export function listenerCountStore(database: Database): ListenerCountStore {
  return {
    async record({ channelId, count, peak, observedAt }) {
      await database.run(
        (client) => client.$executeRaw`
          INSERT INTO listener_counts (channel_id, count, peak, observed_at)
          SELECT id, ${count}, ${peak}, ${observedAt} FROM channels WHERE id = ${channelId}
          ON CONFLICT (channel_id) DO UPDATE SET count = excluded.count, peak = excluded.peak, observed_at = excluded.observed_at
          WHERE listener_counts.observed_at < excluded.observed_at`,
      )
    },
    find: (channelId) => database.run((client) => client.listenerCount.findUnique({ where: { channelId } })),
  }
}
