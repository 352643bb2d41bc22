import { AppError } from '@skipcast/runtime'

/** Lets only so many pieces of work run at once, and so many wait; who comes then is rejected with TOO_MANY_REQUESTS. */
export function turnstile(limits: { atOnce: number; waiting: number }): <T>(work: () => Promise<T>) => Promise<T> {
  const queue: (() => void)[] = []
  let running = 0
  return async (work) => {
    if (running >= limits.atOnce) {
      if (queue.length >= limits.waiting)
        throw new AppError('TOO_MANY_REQUESTS', 'Too much is being done at once. Try again in a minute.')
      await new Promise<void>((enter) => queue.push(enter)) // whoever leaves hands over its place
    } else running += 1
    try {
      return await work()
    } finally {
      const next = queue.shift()
      if (next) next()
      else running -= 1
    }
  }
}
