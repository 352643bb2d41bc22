/**
 * The addresses of loopback on which icecast2 listens, all on one port. Icecast's backlog is 5, compiled in, but each socket has
 * its own: connections that come in the same instant find as many places as there are doors times five, even while Icecast looks elsewhere.
 */
const BACKLOG = 5

/** This role's own calls and sources: they never queue behind others. */
export const OWN_DOOR = '127.0.0.1'

/** At 100 who wait to be let in, Icecast turns people away; the role's fillers may be 32 of them. */
export const MOST_LISTENERS_WAITING = 64
export const LISTENER_DOORS = addresses(2, Math.ceil(MOST_LISTENERS_WAITING / BACKLOG))

/** Engines come back one by one, each at its own moment. */
export const SOURCE_DOORS = addresses(2 + LISTENER_DOORS.length, 4)

function addresses(first: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `127.0.0.${first + index}`)
}
