import { isAppError } from '@skipcast/runtime'
import type { ApiPorts } from './ports.ts'

const DAY_MS = 86_400_000
const CHANNELS_AT_ONCE = 100
/** A pass makes no more steps, so that a great backlog holds up nothing: the next pass goes on. */
const MOST_STEPS = 10

/** Two days, as a day may begin while somebody looks. */
const VIEWERS_KEPT_MS = 2 * DAY_MS

/** One pass that removes for good what has lain in the trash for long enough, and forgets who looked at channels. Rejects with DATABASE_UNAVAILABLE; the next pass goes on. */
export async function emptyTrash({ stores }: Pick<ApiPorts, 'stores'>, keptDays: number, now: number): Promise<void> {
  await stores.opinions.forgetViewers(new Date(now - VIEWERS_KEPT_MS))
  const before = new Date(now - keptDays * DAY_MS)
  for (let step = 0; step < MOST_STEPS; step++) {
    const ids = await stores.channelTrash.listDeletedBefore(before, CHANNELS_AT_ONCE)
    for (const id of ids) {
      await stores.channels.remove(id, { deletedBefore: before }).catch((error: unknown) => {
        if (!isAppError(error, 'NOT_FOUND')) throw error
      })
    }
    if (ids.length < CHANNELS_AT_ONCE) return
  }
}
