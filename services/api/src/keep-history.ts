import type { History } from '@skipcast/db'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Minutes are kept for so long; then they are part of an hour. */
const MINUTES_KEPT_MS = 2 * DAY_MS
/** One pass makes no more steps of each kind, so that a great backlog holds up nothing: the next pass goes on. */
const MAX_STEPS = 100

/** How long the history goes back. */
export interface HistoryLimits {
  readonly trackPlaysDays: number
  readonly listenersDays: number
}

/** One pass that makes old minutes into hours and forgets what is too old. Rejects with DATABASE_UNAVAILABLE; the next pass goes on. */
export async function keepHistory(history: History, limits: HistoryLimits, now: number): Promise<void> {
  const before = (ms: number) => new Date(now - ms)
  await repeat(() => history.rollUp(before(MINUTES_KEPT_MS)))
  await repeat(() => history.forgetListenerHours(before(limits.listenersDays * DAY_MS)))
  await repeat(() => history.forgetTrackPlays(before(limits.trackPlaysDays * DAY_MS)))
}

async function repeat(step: () => Promise<boolean>): Promise<void> {
  for (let steps = 0; steps < MAX_STEPS && (await step()); steps++);
}
