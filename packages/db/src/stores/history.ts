import type { LeaderSession } from '../leadership.ts'

/** What keeps the history from growing without end, on the connection of the leader alone. Every method may reject with DATABASE_UNAVAILABLE. */
export interface History {
  /** Makes the minutes of the oldest hour that ended before `before` into an hour, all or nothing. False: there are none. */
  rollUp(before: Date): Promise<boolean>
  /** Forgets a part of what is older. False: nothing is. */
  forgetTrackPlays(before: Date): Promise<boolean>
  forgetListenerHours(before: Date): Promise<boolean>
}

/** So many rows go with one statement, which thus holds nobody up. */
const FORGET_AT_ONCE = 10_000

export function historyOf(session: LeaderSession): History {
  const forget = async (table: 'track_plays' | 'listener_hours', column: 'started_at' | 'at', before: Date) => {
    const oldest = `SELECT ctid FROM ${table} WHERE ${column} < $1 ORDER BY ${column} LIMIT ${FORGET_AT_ONCE}`
    const gone = await session.query(`DELETE FROM ${table} WHERE ctid = ANY(ARRAY(${oldest})) RETURNING 1`, [before])
    return gone.length > 0
  }
  return {
    async rollUp(before) {
      // What comes late joins the hour that is there.
      const gone = await session.query<{ at: Date }>(
        `WITH oldest AS (SELECT date_trunc('hour', min(at), 'UTC') AS at FROM listener_minutes),
         means AS (SELECT m.* FROM listener_minute_means m, oldest WHERE m.at >= oldest.at AND m.at < oldest.at + interval '1 hour' AND oldest.at + interval '1 hour' <= $1),
         gone AS (DELETE FROM listener_minutes m USING means WHERE m.channel_id = means.channel_id AND m.at = means.at RETURNING m.channel_id, m.at)
         INSERT INTO listener_hours AS h (channel_id, at, min, max, mean, minutes)
         SELECT means.channel_id, date_trunc('hour', means.at, 'UTC'), min(means.min), max(means.max), avg(means.mean), count(*)
         FROM means JOIN gone USING (channel_id, at) GROUP BY 1, 2
         ON CONFLICT (channel_id, at) DO UPDATE SET
           min = least(h.min, excluded.min), max = greatest(h.max, excluded.max), minutes = h.minutes + excluded.minutes,
           mean = (h.mean * h.minutes + excluded.mean * excluded.minutes) / (h.minutes + excluded.minutes)
         RETURNING at`,
        [before],
      )
      return gone.length > 0
    },
    forgetTrackPlays: (before) => forget('track_plays', 'started_at', before),
    forgetListenerHours: (before) => forget('listener_hours', 'at', before),
  }
}
