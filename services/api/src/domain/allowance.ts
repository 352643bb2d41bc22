/** So much of something each second. */
export interface Allowance {
  /** As many of these, from the first on, as are allowed now. */
  take<T>(items: readonly T[]): T[]
}

/** `atOnce`: the most after a rest. `clock`: milliseconds that only grow. */
export function allowance({ perSecond, atOnce }: { perSecond: number; atOnce: number }, clock: () => number): Allowance {
  let left = atOnce
  let at = clock()
  return {
    take(items) {
      const now = clock()
      left = Math.min(atOnce, left + ((now - at) / 1000) * perSecond)
      at = now
      const taken = items.slice(0, Math.floor(left))
      left -= taken.length
      return taken
    },
  }
}
