import { inBatches, type Channel, type Placement } from '@skipcast/db'
import { place } from './domain/place.ts'
import type { Placeable, Server } from './domain/server.ts'
import type { ApiPorts } from './ports.ts'
import { placeableOf, surveyServers, type SurveyPorts } from './survey-servers.ts'

/**
 * Wants channels on air. One that is on stays as it is: same command, same epoch. One that was off goes back to its servers if they may
 * have it still and have room, else to others; with no server free it waits for one. Starts that come together are seen to together, and the next ones after
 * them: so each knows what room the others were given, and all of this process together fill no server too much.
 * The function rejects with NOT_FOUND, CONFLICT (empty playlist), DATABASE_UNAVAILABLE.
 */
export function streamStarter(ports: SurveyPorts & Pick<ApiPorts, 'random'>): (seen: Channel) => Promise<Channel> {
  const start = inBatches<Channel, PromiseSettledResult<Channel>>(async (batch) => {
    const { servers } = await surveyServers(ports)
    return Promise.allSettled(
      batch.map((seen) =>
        ports.stores.channels.change(seen, (channel) => {
          if (channel.wanted === 'on') return null
          return { wanted: 'on', ...takeHome(placeableOf(channel), servers, ports.random) }
        }),
      ),
    )
  })
  return async (seen) => {
    const started = await start(seen)
    if (started.status === 'rejected') throw started.reason
    return started.value
  }
}

/** Wants a channel off air. It keeps its servers, which have to hear of it. Rejects with NOT_FOUND, DATABASE_UNAVAILABLE. */
export function stopStream({ stores }: Pick<ApiPorts, 'stores'>, seen: Channel): Promise<Channel> {
  return stores.channels.change(seen, (channel) => (channel.wanted === 'off' ? null : { wanted: 'off' }))
}

/** The servers for a channel that comes on, noted in `servers`: while it was off, its cost was in nobody's books. */
function takeHome(channel: Placeable, servers: Server[], random: () => number): Placement {
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
  for (const [index, server] of servers.entries())
    if (server.id === primary || server.id === standby) servers[index] = { ...server, load: server.load + channel.cost }
  return { serverId: primary, standbyServerId: standby, movedBecause: 'start', handOver: null }
}
