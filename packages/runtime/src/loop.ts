export interface Loop extends AsyncDisposable {
  /** Asks for a pass soon. Asked during a pass, another one follows. */
  nudge(): void
}

/**
 * Runs `pass` at once, on every nudge and every `everyMs`: never two at once, and each pass is the retry of the last.
 * `everyMs` is the pause after a pass, so that a slow one leaves the machine alone for a while; with `pace: 'rate'` it is the time from
 * the beginning of one pass to that of the next, and a pass that took longer is followed at once by one, whatever it missed.
 * A pass that throws is told to `onError` and the loop goes on. Disposing waits for the running pass.
 */
export function startLoop(
  pass: () => Promise<void>,
  options: { everyMs: number; pace?: 'pause' | 'rate'; onError: (error: unknown) => void },
): Loop {
  const { everyMs } = options
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let again = false
  let closed = false
  /** When the present pass was to begin: counting from here, late timers do not add up. */
  let dueAt = performance.now()

  const run = () => {
    if (closed) return
    if (running) {
      again = true
      return
    }
    clearTimeout(timer)
    again = false
    dueAt = Math.min(dueAt, performance.now()) // a nudge comes before its time
    running = Promise.resolve()
      .then(pass)
      .catch(options.onError)
      .then(() => {
        running = undefined
        if (closed) return
        if (again) run()
        else timer = setTimeout(run, untilNext())
      })
  }
  const untilNext = () => {
    const now = performance.now()
    dueAt = options.pace === 'rate' ? Math.max(dueAt + everyMs, now) : now + everyMs
    return dueAt - now
  }
  run()

  return {
    nudge: run,
    async [Symbol.asyncDispose]() {
      closed = true
      clearTimeout(timer)
      await running
    },
  }
}
