import type { Stores } from '@skipcast/db'

/** Work that nobody told of for so long is asked for again. What is only late is then done twice, which does no harm. */
const LOST_AFTER_MS = 24 * 3_600_000
const DAY_MS = 86_400_000
/** So long people can look up what became of work. */
const DONE_KEPT_MS = 7 * DAY_MS
/** Rows of a kind that one pass takes, in steps, so that a great backlog holds up nothing: the next pass goes on. */
const MAX_STEPS = 100

export interface MediaLimits {
  /** How long what was deleted can be had back. */
  readonly trashDays: number
  /** A bus that forgets what it had with its process: then all that is not done is asked for again, once. */
  readonly busForgets: boolean
}

/**
 * Passes over the library: work that was lost is asked for again, work that was done long ago is forgotten, and what was in the trash for long enough goes for good. A pass rejects with
 * DATABASE_UNAVAILABLE; the next one goes on. `startedAt`: when this process began, in ms since the epoch.
 */
export function mediaKeeping(
  { mediaJobs, mediaTrash }: Pick<Stores, 'mediaJobs' | 'mediaTrash'>,
  { trashDays, busForgets }: MediaLimits,
  startedAt: number,
): (now: number) => Promise<void> {
  return async (now) => {
    const lost = Math.max(now - LOST_AFTER_MS, busForgets ? startedAt : 0)
    await repeat(() => mediaJobs.askAgain(new Date(lost)))
    await repeat(() => mediaJobs.forgetDone(new Date(now - DONE_KEPT_MS)))
    await repeat(() => mediaTrash.purge(new Date(now - trashDays * DAY_MS)))
  }
}

async function repeat(step: () => Promise<number>): Promise<void> {
  for (let steps = 0; steps < MAX_STEPS && (await step()) > 0; steps++);
}
