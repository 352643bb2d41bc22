import type { Channel, Placement } from '@skipcast/db'
import { place } from './domain/place.ts'
import type { Placeable, Server } from './domain/server.ts'
import type { ApiPorts } from './ports.ts'
import { placeableOf, surveyServers, type SurveyPorts } from './survey-servers.ts'

type Ports = SurveyPorts & Pick<ApiPorts, 'random'>

/**
 * Wants a channel on air. One that is on stays as it is: same command, same epoch. One that was off goes back to its servers if they may
 * have it still and have room, else to others; with no server free it waits for one.
 * Rejects with NOT_FOUND, CONFLICT (empty playlist), DATABASE_UNAVAILABLE.
 */
export async function startStream(ports: Ports, seen: Channel): Promise<Channel> {
  const { servers } = await surveyServers(ports)
  return ports.stores.channels.change(seen, (channel) => {
    if (channel.wanted === 'on') return null
    return { wanted: 'on', ...homeOf(placeableOf(channel), servers, ports.random) }
  })
}

/** Wants a channel off air. It keeps its servers, which have to hear of it. Rejects with NOT_FOUND, DATABASE_UNAVAILABLE. */
export function stopStream({ stores }: Pick<ApiPorts, 'stores'>, seen: Channel): Promise<Channel> {
  return stores.channels.change(seen, (channel) => (channel.wanted === 'off' ? null : { wanted: 'off' }))
}

/** The servers for a channel that comes on: while it was off, its cost was in nobody's books. */
function homeOf(channel: Placeable, servers: readonly Server[], random: () => number): Placement {
  const hasRoom = (id: string | null) => {
    const server = servers.find((one) => one.id === id)
    return server?.state === 'open' ? server.load + channel.cost <= server.capacity : server?.state === 'unsure'
  }
  const homes = {
    primary: hasRoom(channel.primary) ? channel.primary : null,
    standby: hasRoom(channel.standby) ? channel.standby : null,
  }
  const [move] = place([{ ...channel, ...homes }], servers, random)
  const { primary, standby } = move ?? homes
  return { serverId: primary, standbyServerId: standby, movedBecause: 'start', handOver: null }
}
