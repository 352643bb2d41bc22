import { streamCost } from '@skipcast/contracts'
import type { Channel } from '@skipcast/db'
import { isAppError } from '@skipcast/runtime'
import { place } from './domain/place.ts'
import type { ApiPorts } from './ports.ts'
import { readServers } from './switch-stream.ts'

const MAX_AT_ONCE = 500

/**
 * One pass of the placement loop: gives the wanted channels that no server has one of those that are there. Only the leader runs it,
 * and even two would do no harm: a channel is placed only if it is still as it was seen.
 */
export async function placeChannels(ports: Pick<ApiPorts, 'stores' | 'fleet' | 'random'>): Promise<void> {
  if (ports.fleet.servers().length === 0) return
  const { channels } = ports.stores
  const waiting = await channels.listUnplaced(MAX_AT_ONCE)
  if (waiting.length === 0) return
  const needs = waiting.map(({ id, mode }) => ({ id, cost: streamCost[mode] }))
  const seen = new Map(waiting.map((channel) => [channel.id, channel]))
  const moves = place(needs, await readServers(ports), ports.random)
  await Promise.all(moves.map(({ channelId, serverId }) => move(ports, seen.get(channelId)!, serverId)))
}

async function move({ stores }: Pick<ApiPorts, 'stores'>, seen: Channel, serverId: string): Promise<void> {
  const work = stores.channels.change(seen, ({ wanted, epoch }) =>
    wanted === 'on' && epoch === seen.epoch ? { serverId } : null,
  )
  await work.catch((error: unknown) => {
    if (!isAppError(error, 'NOT_FOUND')) throw error // deleted meanwhile
  })
}
