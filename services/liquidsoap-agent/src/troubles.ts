import type { StreamError } from '@skipcast/contracts'
import { backoff } from '@skipcast/runtime'
import { problem, type ProblemCode } from './domain/problem.ts'
import type { Clock } from './ports.ts'

/** A channel that was heard for so long is well: its next trouble counts as the first. */
const HEALTHY_MS = 60_000
const FIRST_WAIT_MS = 200
const LONGEST_WAIT_MS = 30_000

/** What went wrong with channels lately, and which of them are left alone for a while because of it. */
export interface Troubles extends Disposable {
  /** The first trouble of a healthy channel costs no waiting; each further one doubles it. */
  note(channelId: string, code: ProblemCode): void
  /** The channel has been heard for so long. */
  heard(channelId: string, forMs: number): void
  /** The channel is none of ours any more. */
  forget(channelId: string): void
  of(channelId: string): StreamError | null
  heldBack(): ReadonlySet<string>
}

/** `onRelease` is called when a channel's waiting is over. */
export function troubles(options: { clock: Clock; onRelease: () => void }): Troubles {
  const { clock, onRelease } = options
  const entries = new Map<string, Entry>()
  const timers = new Set<NodeJS.Timeout>()
  return {
    note(channelId, code) {
      const error = problem(code, clock.wallMs())
      const entry = entries.get(channelId)
      if (!entry) {
        entries.set(channelId, {
          error,
          retryAt: clock.steadyMs(),
          wait: backoff({ firstMs: FIRST_WAIT_MS, mostMs: LONGEST_WAIT_MS }),
        })
        return
      }
      const waitMs = entry.wait.next()
      entry.error = error
      entry.retryAt = clock.steadyMs() + waitMs
      const timer = setTimeout(() => {
        timers.delete(timer)
        onRelease()
      }, waitMs)
      timers.add(timer)
    },
    heard(channelId, forMs) {
      const entry = entries.get(channelId)
      if (entry) entry.error = null
      if (forMs >= HEALTHY_MS) entries.delete(channelId)
    },
    forget: (channelId) => void entries.delete(channelId),
    of: (channelId) => entries.get(channelId)?.error ?? null,
    heldBack: () => new Set([...entries].filter(([, { retryAt }]) => retryAt > clock.steadyMs()).map(([channelId]) => channelId)),
    [Symbol.dispose]() {
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

interface Entry {
  error: StreamError | null
  retryAt: number
  readonly wait: ReturnType<typeof backoff>
}
