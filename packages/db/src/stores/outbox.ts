import type { Database } from '../database.ts'
import type { LeaderSession } from '../leadership.ts'

/** One message that was committed and waits for the bus. */
export interface OutboxEntry {
  readonly id: string
  readonly topic: string
  readonly key: string
  /** null removes the key. */
  readonly payload: unknown
  readonly createdAt: Date
}

/** How much waits for the bus. */
export interface OutboxDepth {
  readonly waiting: number
  readonly oldestMs: number
  /** What the bus can never take. */
  readonly setAside: number
}

/** Rejects with DATABASE_UNAVAILABLE. */
export async function outboxDepth(database: Database): Promise<OutboxDepth> {
  const [depth] = await database.run(
    (client) => client.$queryRaw<OutboxDepth[]>`
      SELECT count(*) FILTER (WHERE problem IS NULL)::int AS waiting, count(problem)::int AS "setAside",
        coalesce(greatest(0, 1000 * extract(epoch FROM now() - min(created_at) FILTER (WHERE problem IS NULL))), 0)::float8 AS "oldestMs"
      FROM outbox`,
  )
  return depth!
}

/** The outbox as the relay sees it, on the connection of the leader alone. Every method may reject with DATABASE_UNAVAILABLE. */
export interface Outbox {
  /**
   * Forgets what the bus has, and reads the oldest entries of the rest but for those that are `held`, which are on their way already: in the order in which they
   * were committed per key.
   */
  exchange(forget: readonly OutboxEntry[], held: readonly OutboxEntry[]): Promise<OutboxEntry[]>
  /** Keeps an entry that the bus can never take, with the reason, and passes it over from now on. */
  setAside(entry: OutboxEntry, problem: string): Promise<void>
  /** Resolves when this is the leader still. */
  confirmLead(): Promise<void>
}

const MAX_ENTRIES = 500
/** A batch takes no further entry once it holds so much. */
const MAX_BATCH_BYTES = 512 * 1024

/**
 * In the same statement, what is deleted can still be read, hence its second mention. `ORDER BY measured.id` alone would sort by the text that is selected under this
 * name: 10 before 9. An anti-join is hashed; `<> ALL` is not, once the statement is prepared, and takes ten times as long.
 */
const EXCHANGE = {
  name: 'exchange-outbox',
  text: `
    WITH forgotten AS (DELETE FROM outbox WHERE id = ANY($1::bigint[]))
    SELECT id::text, topic, key, payload, created_at AS "createdAt" FROM (
      SELECT *, coalesce(sum(octet_length(payload::text)) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
      FROM (
        SELECT * FROM outbox o WHERE problem IS NULL AND NOT EXISTS (SELECT FROM unnest($2::bigint[]) AS held (id) WHERE held.id = o.id)
        ORDER BY id LIMIT ${MAX_ENTRIES}
      ) oldest
    ) measured WHERE before < ${MAX_BATCH_BYTES} ORDER BY measured.id`,
}

export function outboxOf(session: LeaderSession): Outbox {
  const idsOf = (entries: readonly OutboxEntry[]) => entries.map(({ id }) => id)
  return {
    exchange(forget, held) {
      return session.query<OutboxEntry>(EXCHANGE, [idsOf(forget), idsOf([...forget, ...held])])
    },
    async setAside(entry, problem) {
      await session.query('UPDATE outbox SET problem = $2 WHERE id = $1', [entry.id, problem])
    },
    async confirmLead() {
      await session.query('SELECT 1')
    },
  }
}
