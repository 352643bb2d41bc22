import { isOverfull, openSeats, type Seat, type Seats } from './seats.ts'
import { mismatchOf, type Placeable, type Server, type Slot } from './server.ts'

/**
 * Why a channel gets other servers: it has none (`unplaced`), its server is `lost`, drains (`drain`), has not the `labels`, is not the one it is pinned
 * to (`pin`), or carries too much (`capacity`); or it shall have a second one, or none any more (`replicas`).
 */
export type MoveReason = 'unplaced' | 'lost' | 'drain' | 'labels' | 'pin' | 'capacity' | 'replicas'

/** The servers that a channel shall have from now on. */
export interface Move {
  readonly channelId: string
  readonly primary: string | null
  readonly standby: string | null
  readonly because: MoveReason
}

/**
 * Decides which channels get other servers. Nothing that may stay where it is moves, no server gets more than it can carry, and what fits nowhere stays
 * as it is. `channels` are all wanted ones, or only those of which some may have to move; the others count in their servers' `load`, as do these.
 * A channel whose primary can't stay goes on with its standby, which plays already; one whose primary waits for a server that is lost is told so by a move that moves nothing. Then those without a primary come before second
 * replicas, and the larger before the smaller. The same `random` gives the same moves, and planning again after them finds none.
 */
export function place(channels: readonly Placeable[], servers: readonly Server[], random: () => number): Move[] {
  const seats = openSeats(servers, random)
  const plans: Plan[] = []
  const errands: Errand[] = []
  const crowds = new Map(seats.overfull().map((seat) => [seat, [] as Errand[]]))
  for (const channel of channels) {
    const plan: Plan = { channel, primary: channel.primary, standby: channel.standby, because: null }
    plans.push(plan)
    begin(plan, seats, errands)
    for (const slot of slotsOf(channel)) crowds.get(seats.of(plan[slot])!)?.push({ plan, slot, because: 'capacity' })
  }

  let waiting = errands.toSorted(byUrgency)
  do {
    waiting = waiting.filter((errand) => !settle(errand, seats))
    for (const [seat, crowd] of crowds) thin(seat, crowd, seats)
  } while (seats.reopen())
  return plans.flatMap(moveOf)
}

/** What becomes of a channel. */
interface Plan {
  readonly channel: Placeable
  primary: string | null
  standby: string | null
  /** null: nothing has changed yet. */
  because: MoveReason | null
}

/** A slot that needs another server. */
interface Errand {
  readonly plan: Plan
  readonly slot: Slot
  readonly because: MoveReason
}

/** Does what needs no room, and notes what needs some. */
function begin(plan: Plan, seats: Seats, errands: Errand[]): void {
  const { channel } = plan
  // Nobody plays that track any more: its primary need not wait.
  if (seats.of(channel.awaits)?.server.state === 'lost') plan.because = 'lost'
  const trouble = troubleOf(plan, 'primary', seats)
  if (trouble && canStepIn(plan, seats)) {
    seats.leave(plan.primary, channel.cost)
    plan.primary = plan.standby
    plan.standby = null
    plan.because = trouble
  }
  if (channel.replicas === 1 && plan.standby !== null) {
    seats.leave(plan.standby, channel.cost)
    plan.standby = null
    plan.because = 'replicas'
  }
  for (const slot of slotsOf(channel)) {
    const because = troubleOf(plan, slot, seats)
    if (because) errands.push({ plan, slot, because })
  }
}

/** Why a slot can't stay as it is; null: it can. */
function troubleOf(plan: Plan, slot: Slot, seats: Seats): MoveReason | null {
  const id = plan[slot]
  if (id === null) return slot === 'primary' ? 'unplaced' : 'replicas'
  if (slot === 'standby' && id === plan.primary) return 'replicas'
  const server = seats.of(id)?.server
  if (server?.state === 'lost') return 'lost'
  if (server?.state === 'draining') return 'drain'
  return server?.state === 'open' ? mismatchOf(plan.channel, slot, server) : null
}

function canStepIn(plan: Plan, seats: Seats): boolean {
  const server = seats.of(plan.standby)?.server
  return server?.state === 'open' && mismatchOf(plan.channel, 'primary', server) === null
}

/** False: nobody has room. */
function settle({ plan, slot, because }: Errand, seats: Seats): boolean {
  const { channel } = plan
  const seat = seats.draw(channel, slot, plan[slot === 'primary' ? 'standby' : 'primary'])
  if (!seat) return false
  seats.leave(plan[slot], channel.cost)
  seats.take(seat.server.id, channel.cost)
  plan[slot] = seat.server.id
  plan.because ??= because
  return true
}

/** Sends away from a server as few as will do: the smallest that is enough alone, else the largest, and so on. */
function thin(seat: Seat, crowd: readonly Errand[], seats: Seats): void {
  if (!isOverfull(seat)) return
  const left = crowd.filter(({ plan, slot }) => plan[slot] === seat.server.id)
  left.sort((a, b) => costOf(a) - costOf(b))
  while (isOverfull(seat) && left.length > 0) {
    const excess = seat.load - seat.server.capacity
    const enough = left.findIndex((errand) => costOf(errand) >= excess)
    const [errand] = left.splice(enough, 1)
    settle(errand!, seats)
  }
}

function moveOf({ channel, primary, standby, because }: Plan): Move[] {
  return because === null ? [] : [{ channelId: channel.id, primary, standby, because }]
}

function slotsOf({ replicas }: Placeable): readonly Slot[] {
  return replicas === 2 ? BOTH : ONE
}

const ONE: readonly Slot[] = ['primary']
const BOTH: readonly Slot[] = ['primary', 'standby']

function byUrgency(a: Errand, b: Errand): number {
  if (a.slot !== b.slot) return a.slot === 'primary' ? -1 : 1
  return costOf(b) - costOf(a)
}

function costOf({ plan }: Errand): number {
  return plan.channel.cost
}
