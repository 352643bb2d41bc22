import type { StreamError } from '@skipcast/contracts'
import { backoff } from '@skipcast/runtime'
import { problem, type ProblemCode } from './domain/problem.ts'
import type { Clock } from './ports.ts'

/** A channel that was heard for so long is well: its next trouble counts as the first. */
const HEALTHY_MS = 60_000
const FIRST_WAIT_MS = 200
const LONGEST_WAIT_MS = 30_000
/** So long it is remembered that a channel was there when something failed. */
const SUSPICION_MS = 600_000
/** A channel that failed by itself so often within so long is left alone for a good while. */
const QUARANTINE_AFTER = 6
const QUARANTINE_WINDOW_MS = 120_000
const FIRST_QUARANTINE_MS = 60_000
const LONGEST_QUARANTINE_MS = 1_800_000

/**
 * Who may have caused a trouble:
 * - `channel`: this channel and no other
 * - `engine`: any channel of the engine, or the engine itself
 * - `machine`: no channel
 */
export type Blame = 'channel' | 'engine' | 'machine'

/** What went wrong with channels lately, and which of them are left alone for a while because of it. */
export interface Troubles extends Disposable {
  /**
   * The first trouble of a healthy channel costs no waiting; each further one doubles it. Of those that are its own only a few are borne, then the
   * channel is in quarantine.
   */
  note(channelId: string, code: ProblemCode, options: { blame: Blame }): void
  /** What is wanted of the channel, told before anything else: with another command it is tried again at once. */
  commanded(channelId: string, command: { readonly epoch: number; readonly generation: number }): void
  /** The channel was in quarantine under the agent before this one: so it is again, for the shortest time. */
  quarantine(channelId: string, command: { readonly epoch: number; readonly generation: number }): void
  /** The channel has been heard for so long. */
  heard(channelId: string, forMs: number): void
  /** The channel is none of ours any more. */
  forget(channelId: string): void
  of(channelId: string): StreamError | null
  heldBack(): ReadonlySet<string>
  /** How often channels were there lately when something failed that one of them may have caused. */
  failures(): ReadonlyMap<string, number>
}

/** `onRelease` is called when a channel's waiting is over. */
export function troubles(options: { clock: Clock; onRelease: () => void }): Troubles {
  const { clock, onRelease } = options
  const entries = new Map<string, Entry>()
  const commands = new Map<string, string>()
  const suspicions = new Map<string, number[]>()
  const timers = new Set<NodeJS.Timeout>()

  const newEntry = (): Entry => ({
    error: null,
    retryAt: -Infinity,
    wait: backoff({ firstMs: FIRST_WAIT_MS, mostMs: LONGEST_WAIT_MS }),
    ownAt: [],
    quarantine: backoff({ firstMs: FIRST_QUARANTINE_MS, mostMs: LONGEST_QUARANTINE_MS }),
    wasInQuarantine: false,
  })
  const holdBack = (entry: Entry, waitMs: number) => {
    entry.retryAt = clock.steadyMs() + waitMs
    const timer = setTimeout(() => {
      timers.delete(timer)
      onRelease()
    }, waitMs)
    timers.add(timer)
  }
  const shutIn = (entry: Entry, detail: string) => {
    entry.wasInQuarantine = true
    entry.ownAt = []
    const waitMs = entry.quarantine.next()
    entry.error = problem('CHANNEL_QUARANTINED', clock.wallMs(), detail)
    holdBack(entry, waitMs)
  }
  const suspect = (channelId: string) => {
    const now = clock.steadyMs()
    const recent = (suspicions.get(channelId) ?? []).filter((at) => now - at < SUSPICION_MS)
    suspicions.set(channelId, [...recent, now].slice(-MOST_SUSPICIONS))
  }

  return {
    note(channelId, code, { blame }) {
      if (blame !== 'machine') suspect(channelId)
      const known = entries.get(channelId)
      const entry = known ?? newEntry()
      entries.set(channelId, entry)
      entry.error = problem(code, clock.wallMs())
      const now = clock.steadyMs()
      const isOwn = blame === 'channel'
      if (isOwn) entry.ownAt = [...entry.ownAt.filter((at) => now - at < QUARANTINE_WINDOW_MS), now]
      // Out of quarantine, one more is enough.
      if (entry.ownAt.length >= QUARANTINE_AFTER || (isOwn && entry.wasInQuarantine)) return shutIn(entry, code)
      if (known) holdBack(entry, entry.wait.next())
    },
    commanded(channelId, { epoch, generation }) {
      const command = `${epoch}.${generation}`
      if (commands.has(channelId) && commands.get(channelId) !== command) entries.delete(channelId)
      commands.set(channelId, command)
    },
    quarantine(channelId, { epoch, generation }) {
      commands.set(channelId, `${epoch}.${generation}`)
      const entry = newEntry()
      entries.set(channelId, entry)
      shutIn(entry, 'since before the agent was started')
    },
    heard(channelId, forMs) {
      const entry = entries.get(channelId)
      if (entry) entry.error = null
      if (forMs >= HEALTHY_MS) entries.delete(channelId)
    },
    forget(channelId) {
      for (const map of [entries, commands, suspicions]) map.delete(channelId)
    },
    of: (channelId) => entries.get(channelId)?.error ?? null,
    heldBack: () => new Set([...entries].filter(([, { retryAt }]) => retryAt > clock.steadyMs()).map(([channelId]) => channelId)),
    failures() {
      const now = clock.steadyMs()
      return new Map(
        [...suspicions].map(([channelId, times]) => [channelId, times.filter((at) => now - at < SUSPICION_MS).length]),
      )
    },
    [Symbol.dispose]() {
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

/** More than halving needs from the most channels that an engine may have. */
const MOST_SUSPICIONS = 10

interface Entry {
  error: StreamError | null
  retryAt: number
  readonly wait: ReturnType<typeof backoff>
  /** When the channel failed by itself. */
  ownAt: readonly number[]
  readonly quarantine: ReturnType<typeof backoff>
  wasInQuarantine: boolean
}
