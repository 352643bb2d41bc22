export interface Loop extends AsyncDisposable {
  /** Asks for a pass soon. Asked during a pass, another one follows. */
  nudge(): void
}

/**
 * Runs `pass` at once, on every nudge and every `everyMs`: never two at once, and each pass is the retry of the last.
 * A pass that throws is told to `onError` and the loop goes on. Disposing waits for the running pass.
 */
export function startLoop(pass: () => Promise<void>, options: { everyMs: number; onError: (error: unknown) => void }): Loop {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let again = false
  let closed = false

  const run = () => {
    if (closed) return
    if (running) {
      again = true
      return
    }
    clearTimeout(timer)
    again = false
    running = Promise.resolve()
      .then(pass)
      .catch(options.onError)
      .then(() => {
        running = undefined
        if (closed) return
        if (again) run()
        else timer = setTimeout(run, options.everyMs)
      })
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
