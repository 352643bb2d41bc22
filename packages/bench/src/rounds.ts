/** Runs it so many times, one after the other. */
export async function repeat<T>(times: number, action: () => Promise<T>): Promise<T[]> {
  const results: T[] = []
  while (results.length < times) results.push(await action())
  return results
}

export interface Rival {
  /** Does one of ours, and then perhaps one of theirs. */
  after<T>(action: () => Promise<T>): Promise<T>
  /** All of theirs, the ones that were not run yet included. */
  results(): Promise<number[]>
}

/** Spreads the rival's runs evenly over ours: what else the machine does then weighs on both alike. */
export function alternately(ours: number, theirs: number, run: () => Promise<number>): Rival {
  const every = Math.max(1, Math.floor(ours / Math.max(1, theirs)))
  const results: number[] = []
  let done = 0
  return {
    async after<T>(action: () => Promise<T>): Promise<T> {
      const result = await action()
      done += 1
      if (done % every === 0 && results.length < theirs) results.push(await run())
      return result
    },
    async results(): Promise<number[]> {
      while (results.length < theirs) results.push(await run())
      return results
    },
  }
}
