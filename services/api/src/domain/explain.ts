import { mismatchOf, type Placeable, type Server, type Slot } from './server.ts'

/** A server as a place for one channel. */
export interface Candidate {
  readonly server: Server
  /** Which of the channel's replicas it has. */
  readonly has: Slot | null
  /** Why it could not have its primary, in words; empty: it could, or has it rightly. */
  readonly refusals: readonly string[]
}

/** All servers as places for a channel: those that have it, then those that could, the emptiest first, then the others. */
export function explain(channel: Placeable, servers: readonly Server[]): Candidate[] {
  const candidates = servers.map((server) => ({ server, has: slotAt(channel, server.id), refusals: refusalsOf(channel, server) }))
  const rank = ({ has, refusals }: Candidate) => (has === 'primary' ? 0 : has === 'standby' ? 1 : refusals.length === 0 ? 2 : 3)
  const fullness = ({ server: { load, capacity } }: Candidate) => (capacity === 0 ? Infinity : load / capacity)
  return candidates.toSorted((a, b) => rank(a) - rank(b) || fullness(a) - fullness(b) || (a.server.id < b.server.id ? -1 : 1))
}

/** Why a server could not have, or keep, a channel's primary, in words. */
export function refusalsOf(channel: Placeable, server: Server): string[] {
  const refusals: string[] = []
  if (server.state !== 'open') refusals.push(STATES[server.state])
  if (channel.pin !== null && mismatchOf({ ...channel, labels: {} }, 'primary', server) !== null)
    refusals.push(`the channel is pinned to ${channel.pin}`)
  for (const key of Object.keys(channel.labels).toSorted()) {
    const [has, wanted] = [server.labels[key], channel.labels[key]]
    if (has !== wanted) refusals.push(`it has ${has === undefined ? `no label ${key}` : `${key}=${has}`}, not ${key}=${wanted}`)
  }
  const extra = slotAt(channel, server.id) === null ? channel.cost : 0
  if (server.load + extra > server.capacity)
    refusals.push(`it is full: it carries ${server.load} of ${server.capacity}, and the channel costs ${channel.cost}`)
  return refusals
}

const STATES = {
  draining: 'it is being emptied',
  lost: 'it is not heard any more',
  unsure: 'nobody can say at present how it is',
} as const

function slotAt({ primary, standby }: Placeable, serverId: string): Slot | null {
  return serverId === primary ? 'primary' : serverId === standby ? 'standby' : null
}
