import { summarise, type Summary } from './summary.ts'

/** Icecast hands each listener four seconds ahead (64 KiB at 128 kbit/s), which players keep: within these, in ms, nobody hears that bytes came late. */
export const PLAYER_RESERVE_MS = 4000

export interface GapMeter {
  /** The gaps of a window that ends now unless told otherwise; its `text` is ready to print. */
  between(from: number, to?: number): Summary
}

/** Measures how long a listener went without a byte. Times are `performance.now()`. */
export function gapMeter(listener: { readonly arrivals: readonly number[] }): GapMeter {
  return { between: (from, to = performance.now()) => summarise(gaps(listener.arrivals, from, to)) }
}

/**
 * The times without a byte within a window, as known at its end. A gap that was open when the window began counts whole: it is what
 * the listener lives through. So does the one that is still open at its end. Before the first byte ever, the gap begins with the window.
 */
export function gaps(arrivals: readonly number[], from: number, to: number): number[] {
  let next = firstAfter(arrivals, from)
  const found: number[] = []
  let last = arrivals[next - 1] ?? from
  for (; next < arrivals.length && arrivals[next]! <= to; next++) {
    found.push(arrivals[next]! - last)
    last = arrivals[next]!
  }
  found.push(to - last)
  return found
}

/** The index of the first value above `mark`, in ascending values. */
function firstAfter(values: readonly number[], mark: number): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (values[middle]! > mark) high = middle
    else low = middle + 1
  }
  return low
}
