import { isAppError } from '@skipcast/runtime'

/** A foreseen failure in words, with what the failed program said; a bug with its stack. */
export function tellError(error: unknown): string {
  if (!isAppError(error)) return String(error instanceof Error ? error.stack : error)
  return typeof error.details === 'string' ? `${error.message}\n${error.details.trimEnd()}` : error.message
}
