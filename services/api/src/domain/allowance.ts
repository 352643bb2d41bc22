/** So much of something each second, and a second's worth at once at most. */
export interface Allowance {
  /** As many of these, from the first on, as are allowed now. */
  take<T>(items: readonly T[]): T[]
}

/** `clock`: milliseconds that only grow. */
export function allowance(perSecond: number, clock: () => number): Allowance {
  let left = perSecond
  let at = clock()
  return {
    take(items) {
      const now = clock()
      left = Math.min(perSecond, left + ((now - at) / 1000) * perSecond)
      at = now
      const taken = items.slice(0, Math.floor(left))
      left -= taken.length
      return taken
    },
  }
}
