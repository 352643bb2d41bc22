import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from './errors.ts'

/**
 * Waits until `condition` gives something other than undefined, null or false, and returns it. A condition that throws counts as
 * "not yet", and its error becomes the cause. Rejects with TIMEOUT, or with the signal's reason.
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  options: { timeoutMs: number; everyMs?: number; signal?: AbortSignal },
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + options.timeoutMs
  let cause: unknown
  for (;;) {
    options.signal?.throwIfAborted()
    try {
      const value = await condition()
      if (value !== undefined && value !== null && value !== false) return value as NonNullable<Exclude<T, false>>
      cause = undefined
    } catch (error) {
      cause = error
    }
    if (performance.now() >= deadline)
      throw new AppError('TIMEOUT', `Waited ${options.timeoutMs} ms in vain for ${what}`, { cause })
    await sleep(options.everyMs ?? 25, undefined, options.signal ? { signal: options.signal } : {})
  }
}
