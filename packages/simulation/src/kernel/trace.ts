/** What happened in a run: a hash of all of it, and the last lines. */
export interface Trace {
  /** `at` in simulated ms. */
  note(at: number, who: string, what: string): void
  /** Two runs with the same hash did the same. */
  hash(): string
  last(): readonly string[]
}

const KEPT_LINES = 60

/** `onLine` gets every line as it comes. */
export function trace(onLine?: (line: string) => void): Trace {
  let [high, low] = [0x811c9dc5, 0x01000193]
  const lines: string[] = []
  return {
    note(at, who, what) {
      const line = `${(at / 1000).toFixed(3).padStart(9)}  ${who.padEnd(14)}  ${what}`
      for (let index = 0; index < line.length; index++) {
        high = Math.imul(high ^ line.charCodeAt(index), 0x01000193)
        low = Math.imul(low + line.charCodeAt(index), 0x85ebca6b) ^ (low >>> 13)
      }
      lines.push(line)
      if (lines.length > KEPT_LINES) lines.shift()
      onLine?.(line)
    },
    hash: () => [high, low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join(''),
    last: () => lines,
  }
}
