import { createHmac } from 'node:crypto'
import type { OpinionStore } from '@skipcast/db'
import type { Viewers } from './ports.ts'

const DAY_MS = 86_400_000
/** Who was counted lately is not asked about again; beyond so many, all are forgotten, and the table knows. */
const MOST_KNOWN = 100_000
/** Views that are being written; beyond so many, they are not counted. */
const MOST_UNDER_WAY = 20

/**
 * Counts each viewer of a channel once a day (UTC), but not its owner. A viewer is kept as a pseudonym of user or address, which is another one each day and for
 * each channel, so that nobody can be followed.
 */
export function viewCounter(opinions: Pick<OpinionStore, 'countView'>, secret: string, now: () => number): Viewers {
  const known = new Set<string>()
  let underWay = 0
  return {
    looked(channel, { userId, address }) {
      if (userId === channel.ownerId) return
      const day = new Date(Math.floor(now() / DAY_MS) * DAY_MS)
      const viewer = createHmac('sha256', secret)
        .update(`skipcast-viewer\n${channel.id}\n${day.toISOString()}\n${userId ?? address}`)
        .digest('base64url')
        .slice(0, 22)
      if (known.has(viewer) || underWay >= MOST_UNDER_WAY) return
      if (known.size >= MOST_KNOWN) known.clear()
      known.add(viewer)
      underWay += 1
      void opinions
        .countView(channel.id, day, viewer)
        .catch(() => known.delete(viewer)) // health says what is wrong with the database
        .finally(() => (underWay -= 1))
    },
  }
}
