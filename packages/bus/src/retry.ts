import { backoff, isAppError, messageOf } from '@skipcast/runtime'

/** How often and how fast a record is handed out again whose handler threw. */
export interface RetryPolicy {
  /** Calls of the handler before a record is given up whose failure nobody called retryable. */
  readonly attempts: number
  readonly firstMs: number
  readonly mostMs: number
}

export const defaultRetry: RetryPolicy = { attempts: 5, firstMs: 100, mostMs: 10_000 }

/** Either way `afterMs` is the time to wait before the next try, of whatever kind. */
export type AfterFailure =
  | { readonly kind: 'again'; readonly afterMs: number }
  | { readonly kind: 'dead'; readonly afterMs: number; readonly reason: string }

/** Follows the attempts at one record. A retryable AppError never uses up an attempt: what it waits for will come back. */
export function recordRetry(policy: RetryPolicy, random?: () => number): { failed(error: unknown): AfterFailure } {
  const wait = backoff({ ...policy, ...(random && { random }) })
  let left = policy.attempts
  return {
    failed(error) {
      const afterMs = wait.next()
      const isRetryable = isAppError(error) && error.kind.retryable
      if (isRetryable || --left > 0) return { kind: 'again', afterMs }
      return { kind: 'dead', afterMs, reason: `the handler failed: ${messageOf(error)}` }
    },
  }
}
