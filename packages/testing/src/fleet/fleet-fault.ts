import type { Fleet, FleetChannel } from './fleet.ts'

/**
 * One way in which machines, or what is between them, break.
 *
 *   arranged ─► prepare ─► inject ─► meanwhile ─► mend ─► settled, orders kept, everybody carries what it should; orders are given all the time
 */
export interface FleetFault {
  readonly name: string
  /** What listeners of the channels that it touches may notice; their connection is kept in any case. All others must hear nothing of it. */
  readonly notice: 'nothing' | 'interruption'
  /** Why it can't be injected here; null when it can. */
  readonly obstacle?: (fleet: Fleet) => string | null
  /** What must be so before it can be injected. */
  readonly prepare?: (fleet: Fleet) => Promise<void>
  readonly inject: (fleet: Fleet) => Promise<FleetInjury>
}

export interface FleetInjury {
  /** The moment it broke, of `performance.now()`. */
  readonly at: number
  readonly touched: readonly FleetChannel[]
  /** What must be seen before it may be mended. Rejects when that is not so. */
  readonly meanwhile: () => Promise<unknown>
  /** Undoes it. */
  readonly mend: () => Promise<unknown>
}

/** What one fault did. Times in ms. */
export interface FleetOutcome {
  readonly fault: string
  /** Of the channels that it touched. */
  readonly gaps: readonly number[]
  /** Of the same listeners: the longest time without the programme. */
  readonly programme: readonly number[]
  /** Everybody's. */
  readonly listeners: number
  readonly dropped: number
  readonly orders: { readonly acknowledged: number; readonly lost: number }
  readonly doublePublishers: number
  /** What should not have been; those above are among it. */
  readonly problems: readonly string[]
}
