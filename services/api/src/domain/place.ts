/** A server as placement sees it, in cost units (a channel in copy mode costs 1). */
export interface Server {
  readonly id: string
  readonly capacity: number
  /** What the channels cost that it has already. */
  readonly load: number
}

/** A channel that needs a server. */
export interface Unplaced {
  readonly id: string
  readonly cost: number
}

export interface Move {
  readonly channelId: string
  readonly serverId: string
}

/** Draws before all servers are looked through. */
const DRAWS = 3

/**
 * Gives each channel a server whose capacity it fits into, in the order given; a channel that fits nowhere gets no move. Of two
 * random servers the emptier takes it, which spreads nearly as well as a full search and does not send everybody to the
 * same one when several decide at once. Channels that have a server are not its business: nothing is moved without need.
 */
export function place(channels: readonly Unplaced[], servers: readonly Server[], random: () => number): Move[] {
  const seats = servers.map((server) => ({ id: server.id, capacity: server.capacity, load: server.load }))
  const moves: Move[] = []
  for (const { id, cost } of channels) {
    const seat = choose(seats, cost, random)
    if (!seat) continue
    seat.load += cost
    moves.push({ channelId: id, serverId: seat.id })
  }
  return moves
}

interface Seat {
  readonly id: string
  readonly capacity: number
  load: number
}

function choose(seats: readonly Seat[], cost: number, random: () => number): Seat | undefined {
  const fits = (seat: Seat | undefined) => seat !== undefined && seat.load + cost <= seat.capacity
  for (let draw = 0; draw < DRAWS; draw++) {
    const pair = twoOf(seats, random)
    if (pair.length > 0 && pair.every(fits)) return emptier(pair)
  }
  return emptier(twoOf(seats.filter(fits), random))
}

/** Two different ones, or all there are. */
function twoOf<T>(items: readonly T[], random: () => number): T[] {
  if (items.length <= 2) return [...items]
  const first = Math.floor(random() * items.length)
  const second = (first + 1 + Math.floor(random() * (items.length - 1))) % items.length
  return [items[first]!, items[second]!]
}

function emptier(seats: readonly Seat[]): Seat | undefined {
  return seats.toSorted((a, b) => a.load / a.capacity - b.load / b.capacity)[0]
}
