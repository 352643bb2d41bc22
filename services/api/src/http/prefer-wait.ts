/** The most that a request waits for work to be done. */
const MOST_WAIT_S = 60

/** How long a client prefers to wait, in ms (RFC 7240, `Prefer: wait=20`): 0 where it does not say so, or not readably. */
export function preferredWaitMs(header: string | string[] | undefined): number {
  const [, seconds] = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?\s*(?:[,;]|$)/i.exec([header ?? ''].flat().join(',')) ?? []
  return Math.min(Number(seconds ?? 0), MOST_WAIT_S) * 1000
}
