import type { Station, StationChannel } from './station.ts'

/**
 * One way in which things break.
 *
 *   settled ─► inject ─► besides ─► meanwhile ─► mend ─► settled again; measured at the listeners' ears all the time
 */
export interface Fault {
  readonly name: string
  /**
   * What listeners of the channels that it touches may notice. All others must hear nothing of it.
   * - `nothing`: the programme goes on
   * - `interruption`: the connection is kept, and the programme comes back on it
   * - `reconnect`: the connection ends; the programme is there for those who come again
   */
  readonly notice: 'nothing' | 'interruption' | 'reconnect'
  /** Why it can't be injected on this machine; null when it can. */
  readonly obstacle?: (station: Station) => Promise<string | null>
  /** Whether the station is in the state that makes this a fair measurement; else others come first. */
  readonly isDue?: (station: Station) => Promise<boolean>
  /** Breaks it. Resolves once it is broken. */
  readonly inject: (station: Station) => Promise<Injury>
}

interface Injury {
  /** The moment it broke, of `performance.now()`. */
  readonly at: number
  /** Whose listeners it may touch. */
  readonly channels: readonly StationChannel[]
  /** What must be seen before it may be mended. Rejects when that is not so. */
  readonly meanwhile?: () => Promise<unknown>
  /** What breaks besides, while this lasts, if it is due: an outcome of its own each. */
  readonly besides?: readonly Fault[]
  /** Undoes what Skipcast can't. */
  readonly mend?: () => Promise<unknown>
  /** What must have become true after all, beside sound and status. Rejects when it has not. */
  readonly afterwards?: () => Promise<unknown>
}

/** What one fault did, as its listeners and the readers of status saw it. Times in ms. */
export interface Outcome {
  readonly fault: string
  /** The ids of the channels that it was to touch. */
  readonly channelIds: readonly string[]
  readonly listeners: number
  readonly kept: number
  /** Of each listener concerned: the longest time without a byte. */
  readonly gaps: readonly number[]
  /** Of each listener concerned who missed any of it: from the fault, or from when it was mended, until the programme was heard again. */
  readonly programmeBack: readonly number[]
  /** The longest time for which the status of a channel said what its listeners did not hear; null: there is no status (of a rival). */
  readonly statusBehind: number | null
  /** What should not have been. */
  readonly problems: readonly string[]
}
