/** The records of one partition on their way through a handler: one at a time, in order. */
export interface Lane<R> extends AsyncDisposable {
  push(records: readonly R[]): void
  readonly length: number
  /** Resolves once nothing waits and nothing runs. */
  readonly idle: Promise<void>
}

/**
 * `settle` is called for each record in turn and tells whether the record is done with; `false` ends the lane. Closing drops what
 * waits, tells `settle` by its signal, and resolves when the record in hand is done with.
 */
export function lane<R>(settle: (record: R, signal: AbortSignal) => Promise<boolean>): Lane<R> {
  const closing = new AbortController()
  const waiting: R[] = []
  let idle = Promise.resolve()
  let isRunning = false

  const run = async () => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      if (!(await settle(next, closing.signal)) || closing.signal.aborted) break
      waiting.shift()
    }
    isRunning = false
  }

  return {
    push(records) {
      if (closing.signal.aborted) return
      waiting.push(...records)
      if (isRunning || waiting.length === 0) return
      isRunning = true
      idle = run()
    },
    get length() {
      return waiting.length
    },
    get idle() {
      return idle
    },
    async [Symbol.asyncDispose]() {
      closing.abort()
      waiting.length = 0
      await idle
    },
  }
}
