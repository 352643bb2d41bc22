import type { Phase } from '@skipcast/contracts'

/** What status said from a moment on; null: nothing, as nobody could be asked or it said that it did not know. */
export interface Claim {
  readonly at: number
  readonly phase: Phase | null
}

/** Icecast sends a block about every 105 ms at 128 kbit/s; without sound for so long, the programme is not heard. */
export const HOLE_MS = 400

/** The holes in a listener's programme between two moments: no sound for so long. One that began before counts from its beginning. */
export function holes(
  sounds: readonly number[],
  from: number,
  to: number,
  longerThanMs: number = HOLE_MS,
): { from: number; to: number }[] {
  const before = sounds.findLast((at) => at <= from) ?? from
  const moments = [before, ...sounds.filter((at) => at > from && at <= to), to]
  return moments.flatMap((at, i) => {
    const next = moments[i + 1]
    return next !== undefined && next - at > longerThanMs ? [{ from: at, to: next }] : []
  })
}

/** The longest time, in ms, for which status said something else than what a listener heard between two moments. */
export function longestContradiction(
  claims: readonly Claim[],
  sounds: readonly number[],
  window: { from: number; to: number },
): number {
  const unheard = holes(sounds, window.from, window.to)
  const edges = [...claims.map(({ at }) => at), ...unheard.flatMap((hole) => [hole.from, hole.to])]
  const moments = [window.from, ...edges.filter((at) => at > window.from && at < window.to).sort((a, b) => a - b), window.to]
  let longest = 0
  let current = 0
  for (const [i, at] of moments.slice(0, -1).entries()) {
    const phase = claims.findLast((claim) => claim.at <= at)?.phase ?? null
    const isHeard = !unheard.some((hole) => hole.from <= at && at < hole.to)
    current = phase !== null && (phase === 'on_air') !== isHeard ? current + moments[i + 1]! - at : 0
    longest = Math.max(longest, current)
  }
  return longest
}
