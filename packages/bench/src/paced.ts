import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Calls so often a second for so long, whether or not earlier calls have come back: a queue that builds up shows. Resolves once all have
 * come back, with how many calls a second there were. Rejects with the first failure.
 */
export async function paced(perSecond: number, seconds: number, call: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  const total = perSecond * seconds
  const failures: unknown[] = []
  const calls: Promise<void>[] = []
  while (calls.length < total && failures.length === 0) {
    const due = Math.min(total, Math.ceil(((performance.now() - startedAt) / 1000) * perSecond))
    while (calls.length < due) calls.push(call().catch((error: unknown) => void failures.push(error)))
    await sleep(1)
  }
  await Promise.all(calls)
  if (failures.length > 0) throw failures[0]
  return total / ((performance.now() - startedAt) / 1000)
}
