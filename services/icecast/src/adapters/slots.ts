/** Lets at most `count` run at once; the others wait in line. */
export function slots(count: number): <T>(run: () => Promise<T>) => Promise<T> {
  let free = count
  const line: Array<() => void> = []
  return async (run) => {
    if (free > 0) free -= 1
    else await new Promise<void>((enter) => line.push(enter))
    try {
      return await run()
    } finally {
      const next = line.shift()
      if (next) next()
      else free += 1
    }
  }
}
