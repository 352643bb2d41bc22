import { hasLabels, mismatchOf, type Labels, type Placeable, type Server, type Slot } from './server.ts'

/** A server while places are given away. */
export interface Seat {
  readonly server: Server
  load: number
}

/** The room of all servers, and who gets it. */
export interface Seats {
  of(serverId: string | null): Seat | undefined
  /** Open servers that have more than they can carry. */
  overfull(): Seat[]
  /** An open server that suits the slot and has room: the emptier of two random ones, but never `except`. */
  draw(channel: Placeable, slot: Slot, except: string | null): Seat | undefined
  take(serverId: string, cost: number): void
  /** Gives room back. It counts from the next `reopen` on. */
  leave(serverId: string | null, cost: number): void
  /** Offers the room again that was given back; false: there was none. */
  reopen(): boolean
}

/**
 * Two random choices spread nearly as well as a full search, and do not send everybody to the same server when several decide at once. Who draws a
 * server that is too full for it strikes it off for all who ask the same, as room only shrinks until `reopen`: so a draw costs the same on average however
 * many servers there are, and however few have room.
 */
export function openSeats(servers: readonly Server[], random: () => number): Seats {
  const seats = new Map(servers.map((server) => [server.id, { server, load: server.load }]))
  const open: readonly Seat[] = [...seats.values()].filter(({ server }) => server.state === 'open')
  const byLabels = new Map<string, readonly Seat[]>()
  let hopeful = new Map<string, Seat[]>()
  let isFreed = false

  const withLabels = (key: string, labels: Labels) => {
    const found = byLabels.get(key) ?? open.filter(({ server }) => hasLabels(server.labels, labels))
    byLabels.set(key, found)
    return found
  }

  /** Those that may have room for the channel; what is struck off stays so. */
  const hopefulFor = ({ cost, labels }: Placeable) => {
    const labelKey = keyOf(labels)
    const key = `${cost} ${labelKey}`
    const found = hopeful.get(key) ?? [...withLabels(labelKey, labels)]
    hopeful.set(key, found)
    return found
  }

  /** Any of these with room, each as likely. Those passed by are moved to the end, where this draw does not come any more. */
  const oneOf = (among: Seat[], cost: number, passed: readonly (string | null)[]) => {
    for (let end = among.length; end > 0;) {
      const index = Math.floor(random() * end)
      const seat = among[index]!
      end -= 1
      among[index] = among[end]!
      if (!hasRoom(seat, cost)) {
        among[end] = among.at(-1)!
        among.pop()
        continue
      }
      among[end] = seat
      if (!passed.includes(seat.server.id)) return seat
    }
    return undefined
  }

  return {
    of: (serverId) => (serverId === null ? undefined : seats.get(serverId)),
    overfull: () => open.filter(isOverfull),
    draw(channel, slot, except) {
      if (slot === 'primary' && channel.pin !== null) {
        const seat = seats.get(channel.pin)
        const suits = seat?.server.state === 'open' && mismatchOf(channel, slot, seat.server) === null
        return suits && channel.pin !== except && hasRoom(seat, channel.cost) ? seat : undefined
      }
      const among = hopefulFor(channel)
      const never = [except, channel.pin]
      const first = oneOf(among, channel.cost, never)
      const second = first && oneOf(among, channel.cost, [...never, first.server.id])
      return second && fullness(second) < fullness(first) ? second : first
    },
    take(serverId, cost) {
      seats.get(serverId)!.load += cost
    },
    leave(serverId, cost) {
      const seat = serverId === null ? undefined : seats.get(serverId)
      if (!seat) return
      seat.load -= cost
      isFreed ||= seat.server.state === 'open'
    },
    reopen() {
      const wasFreed = isFreed
      isFreed = false
      if (wasFreed) hopeful = new Map()
      return wasFreed
    },
  }
}

export function isOverfull({ server, load }: Seat): boolean {
  return load > server.capacity
}

function hasRoom({ server, load }: Seat, cost: number): boolean {
  return load + cost <= server.capacity
}

function fullness({ server, load }: Seat): number {
  return load / server.capacity
}

function keyOf(labels: Labels): string {
  const keys = Object.keys(labels)
  return keys.length === 0 ? '' : JSON.stringify(keys.toSorted().map((key) => [key, labels[key]]))
}
