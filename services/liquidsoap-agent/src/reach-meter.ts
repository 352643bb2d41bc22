import { reachOf, type Reach } from './domain/reach.ts'
import type { Clock, Memo } from './ports.ts'

/** A server whose channels went to others for that has nothing left to prove itself with. So long it is not to get any. */
const DOUBTFUL_MS = 60_000

/** Whether this server's channels get to Icecast; once they did not, that stays so until one of them is heard, or for a while. */
export function reachMeter(told: () => Iterable<Pick<Memo, 'phase' | 'since' | 'error'>>, clock: Clock): () => Reach {
  let cutOff: { readonly since: number; readonly seenAt: number } | null = null
  return () => {
    const { heard, cutOffSince } = reachOf(told())
    const now = clock.steadyMs()
    if (cutOffSince !== null) cutOff = { since: cutOff?.since ?? cutOffSince, seenAt: now }
    else if (heard > 0 || (cutOff && now - cutOff.seenAt > DOUBTFUL_MS)) cutOff = null
    return { heard, cutOffSince: cutOff?.since ?? null }
  }
}
