import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Calls so often a second for so long, whether or not earlier calls have come back: a queue that builds up shows. A call that answers
 * null can't be made now, and is due again at once. Resolves once all have come back, with how many calls a second there were.
 * Rejects with the first failure.
 */
export async function paced(perSecond: number, seconds: number, call: () => Promise<void> | null): Promise<number> {
  const startedAt = performance.now()
  const elapsed = () => (performance.now() - startedAt) / 1000
  const failures: unknown[] = []
  const calls: Promise<void>[] = []
  while (elapsed() < seconds && failures.length === 0) {
    const due = Math.ceil(elapsed() * perSecond)
    while (calls.length < due) {
      const started = call()
      if (started === null) break
      calls.push(started.catch((error: unknown) => void failures.push(error)))
    }
    await sleep(1)
  }
  await Promise.all(calls)
  if (failures.length > 0) throw failures[0]
  return calls.length / elapsed()
}
