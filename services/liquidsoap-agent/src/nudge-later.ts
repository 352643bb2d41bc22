/** Asked however often, calls `nudge` once, `afterMs` after it was asked first. */
export function nudgeLater(nudge: () => void, afterMs: number): { ask(): void } & Disposable {
  let timer: NodeJS.Timeout | undefined
  return {
    ask() {
      timer ??= setTimeout(() => {
        timer = undefined
        nudge()
      }, afterMs)
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  }
}
