const TICK_MS = 250
/** A process that ran so late was stopped, swapped out or starved: what it saw last is old. */
const STALL_MS = 1000

/** When this process itself did not run for a while. What it did not hear or was not answered in that time proves nothing. */
export interface OwnStalls {
  /** The clock's moment at which the last stall ended; -Infinity while there was none. True also within the first call after it. */
  endedAt(): number
}

/** Watches the clock from a timer of its own, so that no slow answer of others is taken for a stall. */
export function ownStalls(clock: { steadyMs(): number }): OwnStalls & Disposable {
  let ranAt = clock.steadyMs()
  let stallEndedAt = -Infinity

  const endedAt = () => {
    const now = clock.steadyMs()
    if (now - ranAt > TICK_MS + STALL_MS) stallEndedAt = now
    ranAt = now
    return stallEndedAt
  }
  const timer = setInterval(endedAt, TICK_MS)
  timer.unref()
  return { endedAt, [Symbol.dispose]: () => clearInterval(timer) }
}
