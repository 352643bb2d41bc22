import { wasHeard } from './phase.ts'
import type { ProblemCode } from './problem.ts'
import type { Report } from './status.ts'

/** What a server looks like that does not reach Icecast, seen from itself. An Icecast that hangs looks the same: who knows of other servers can tell. */
const CUT_OFF: readonly ProblemCode[] = ['ICECAST_UNAVAILABLE', 'NOT_HEARD']

export interface Reach {
  /** How many channels are heard. */
  readonly heard: number
  /** Since when none is, although engines play them, in ms since the Unix epoch; null: that is not so. */
  readonly cutOffSince: number | null
}

/** Whether a server's channels get to Icecast, from what was told of each last. */
export function reachOf(told: Iterable<Pick<Report, 'phase' | 'since' | 'error'>>): Reach {
  const all = [...told]
  const heard = all.filter(({ phase }) => wasHeard(phase)).length
  const failing = all.filter(({ phase }) => phase === 'failing')
  const isCutOff = heard === 0 && failing.length > 0 && failing.every(({ error }) => isOf(error?.code))
  return { heard, cutOffSince: isCutOff ? Math.max(...failing.map(({ since }) => since)) : null }
}

function isOf(code: string | undefined): boolean {
  return (CUT_OFF as readonly (string | undefined)[]).includes(code)
}
