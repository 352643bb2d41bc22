import { streamCost } from '@skipcast/contracts'
import type { Channel } from '@skipcast/db'
import { place, type Server } from './domain/place.ts'
import type { ApiPorts } from './ports.ts'

type Ports = Pick<ApiPorts, 'stores' | 'fleet' | 'random'>

/**
 * Wants a channel on air. One that is on stays as it is: same command, same epoch. One that was off goes back to its server if that
 * lives and has room, else to another; with no server free it waits for one.
 * Rejects with NOT_FOUND, CONFLICT (empty playlist), DATABASE_UNAVAILABLE.
 */
export async function startStream(ports: Ports, seen: Channel): Promise<Channel> {
  const servers = await readServers(ports)
  return ports.stores.channels.change(seen, (channel) => {
    if (channel.wanted === 'on') return null
    return { wanted: 'on', serverId: chooseServer(ports, channel, servers) }
  })
}

/** Wants a channel off air. It keeps its server, which has to hear of it. Rejects with NOT_FOUND, DATABASE_UNAVAILABLE. */
export function stopStream({ stores }: Ports, seen: Channel): Promise<Channel> {
  return stores.channels.change(seen, (channel) => (channel.wanted === 'off' ? null : { wanted: 'off' }))
}

/** The servers that are there, with what they carry by our own books: heartbeats tell of the past. */
export async function readServers({ stores, fleet }: Ports): Promise<Server[]> {
  if (fleet.servers().length === 0) return []
  const loads = new Map<string, number>()
  for (const { serverId, mode, channels } of await stores.channels.countPlaced()) {
    loads.set(serverId, (loads.get(serverId) ?? 0) + channels * streamCost[mode])
  }
  return fleet.servers().map(({ id, capacity }) => ({ id, capacity, load: loads.get(id) ?? 0 }))
}

function chooseServer({ fleet, random }: Ports, channel: Channel, servers: readonly Server[]): string | null {
  const cost = streamCost[channel.mode]
  const { serverId } = channel
  if (serverId !== null) {
    const home = servers.find((server) => server.id === serverId)
    if (home ? home.load + cost <= home.capacity : fleet.sight(serverId).kind === 'unknown') return serverId
  }
  return place([{ id: channel.id, cost }], servers, random)[0]?.serverId ?? null
}
