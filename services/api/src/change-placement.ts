import type { Channel, PlacementWish } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import { refusalsOf } from './domain/explain.ts'
import { place } from './domain/place.ts'
import type { ApiPorts } from './ports.ts'
import { placementOf } from './place-channels.ts'
import { placeableOf, surveyServers, type SurveyPorts } from './survey-servers.ts'

type Ports = SurveyPorts & Pick<ApiPorts, 'random'>

/**
 * Changes what is wished of a channel's place, and moves it at once if it can't stay where it is and another server has room; else the
 * leader does as soon as one has. Rejects with NOT_FOUND, BAD_REQUEST (pinned to a server that is not known), DATABASE_UNAVAILABLE.
 */
export async function wishPlacement(ports: Ports, seen: Channel, wish: Partial<PlacementWish>): Promise<Channel> {
  const { servers } = await surveyServers(ports)
  const { pinnedServerId: pin = null } = wish
  if (pin !== null && !servers.some(({ id }) => id === pin))
    throw new AppError('BAD_REQUEST', `pinned_server: there is no server ${pin}; GET /api/servers lists all`)
  return ports.stores.channels.change(seen, (channel) => {
    const next = { ...channel, ...wish }
    const [move] = channel.wanted === 'on' ? place([placeableOf(next)], servers, ports.random) : []
    return { ...wish, ...(move && placementOf(move)) }
  })
}

/**
 * Moves a channel to a server, where it stays until it can't. The server with its second replica changes places with the one before.
 * Rejects with NOT_FOUND (no such server), CONFLICT (it can't have the channel; says why), DATABASE_UNAVAILABLE.
 */
export async function moveChannel(
  ports: Ports,
  seen: Channel,
  to: { readonly serverId: string; readonly at: 'now' | 'track_end' },
): Promise<Channel> {
  const { servers } = await surveyServers(ports)
  const target = servers.find(({ id }) => id === to.serverId)
  if (!target) throw new AppError('NOT_FOUND', `There is no server ${to.serverId}; GET /api/servers lists all.`)
  return ports.stores.channels.change(seen, (channel) => {
    if (channel.serverId === target.id) return null
    const refusals = refusalsOf(placeableOf(channel), target)
    if (refusals.length > 0)
      throw new AppError('CONFLICT', `${target.id} can not have this channel: ${refusals.join('; ')}.`, { details: refusals })
    const before = servers.find(({ id }) => id === channel.serverId)
    const change = { serverId: target.id, movedBecause: 'moved', handOver: to.at } as const
    if (channel.standbyServerId !== target.id) return change
    return { ...change, standbyServerId: before?.state === 'open' ? before.id : null }
  })
}
