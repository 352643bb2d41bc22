/** A distribution in four numbers, of whatever unit went in; `text` tells it on one line, as milliseconds. */
export interface Summary {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly text: string
}

/** Percentiles by nearest rank: each is a value that did occur. Of no values at all, everything is NaN. */
export function summarise(values: Iterable<number>): Summary {
  const sorted = [...values].sort((a, b) => a - b)
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
  const [p50, p99, max] = [rank(0.5), rank(0.99), rank(1)]
  const ms = (value: number) => `${value.toFixed(0)} ms`
  return {
    count: sorted.length,
    p50,
    p99,
    max,
    text: `p50 ${ms(p50)} · p99 ${ms(p99)} · max ${ms(max)} (n = ${sorted.length})`,
  }
}
