/** What a server has, and what a channel asks of one: `region=eu`, `disk=ssd`. */
export type Labels = Readonly<Record<string, string>>

/**
 * - `open`: takes channels
 * - `draining`: somebody wants it empty: its channels leave, and it gets none
 * - `lost`: it is not heard any more, or does not reach Icecast: its channels need another
 * - `unsure`: nobody can say how it is: it keeps what it has, and gets nothing
 */
export type ServerState = 'open' | 'draining' | 'lost' | 'unsure'

/** A server as placement sees it. Costs are in cost units: a channel in copy mode costs 1. */
export interface Server {
  readonly id: string
  readonly state: ServerState
  readonly labels: Labels
  readonly capacity: number
  /** What the channels cost that it has, by our own books. */
  readonly load: number
}

/** `primary` feeds the channel's mount; `standby` is the second replica, which takes over. */
export type Slot = 'primary' | 'standby'

/** A wanted channel as placement sees it. */
export interface Placeable {
  readonly id: string
  readonly cost: number
  readonly replicas: 1 | 2
  /** What its servers must have. */
  readonly labels: Labels
  /** The only server that may have its primary; null: any. */
  readonly pin: string | null
  readonly primary: string | null
  readonly standby: string | null
  /** Its primary begins when the track ends that this server plays; null: it waits for nobody. */
  readonly awaits: string | null
}

/** Why a server is none for a slot of a channel, whether there is room or not. The one that a channel is pinned to is kept for its primary. */
export function mismatchOf(channel: Placeable, slot: Slot, server: Pick<Server, 'id' | 'labels'>): 'labels' | 'pin' | null {
  if (channel.pin !== null && (channel.pin === server.id) !== (slot === 'primary')) return 'pin'
  return hasLabels(server.labels, channel.labels) ? null : 'labels'
}

export function hasLabels(has: Labels, wanted: Labels): boolean {
  for (const key in wanted) if (has[key] !== wanted[key]) return false
  return true
}
