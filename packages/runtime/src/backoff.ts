/**
 * Waiting times that double from `firstMs` to `mostMs`, each with up to a quarter taken off by chance, so that many
 * who failed together do not come back together.
 */
export function backoff(options: { firstMs: number; mostMs: number; random?: () => number }): {
  next(): number
  reset(): void
} {
  const random = options.random ?? Math.random
  let attempt = 0
  return {
    next() {
      const full = Math.min(options.mostMs, options.firstMs * 2 ** Math.min(attempt++, 30))
      return Math.round(full * (1 - random() / 4))
    },
    reset() {
      attempt = 0
    },
  }
}
