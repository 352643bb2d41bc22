import type { StartStream, StreamCommand } from '@skipcast/contracts'

/**
 * What this server is to a wanted stream:
 * - `primary`: it runs it, and tells of it
 * - `standby`: it runs its second replica, and tells of that only how it is
 * - `lingering`: it had it before. What runs goes on until the one after it has put it out; nothing is started anew, and nothing told
 */
export interface Seat {
  readonly role: 'primary' | 'standby' | 'lingering'
  /** The stream as this replica runs it: with its own epoch, mount and token. */
  readonly start: StartStream
}

/** The seats of this server, by channel. */
export function seatsOf(serverId: string, commands: ReadonlyMap<string, StreamCommand>): Map<string, Seat> {
  const seats = new Map<string, Seat>()
  for (const [channelId, command] of commands) {
    const seat = command.event === 'start_stream' ? seatIn(serverId, command) : null
    if (seat) seats.set(channelId, seat)
  }
  return seats
}

function seatIn(serverId: string, command: StartStream): Seat | null {
  if (command.server_id === serverId) return { role: 'primary', start: command }
  if (command.standby?.server_id === serverId) return { role: 'standby', start: { ...command, ...command.standby } }
  return command.takes_over?.server_id === serverId ? { role: 'lingering', start: command } : null
}

/** The streams that are to be run, by channel. */
export function runningSeats(seats: ReadonlyMap<string, Seat>): Map<string, Seat> {
  return new Map([...seats].filter(([, { role }]) => role !== 'lingering'))
}
