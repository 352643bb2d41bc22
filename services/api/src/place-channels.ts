import { streamCost } from '@skipcast/contracts'
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
  const epochs = new Map(waiting.map(({ id, epoch }) => [id, epoch]))
  for (const { channelId, serverId } of place(needs, await readServers(ports), ports.random)) {
    const work = channels.change(channelId, (channel) =>
      channel.wanted === 'on' && channel.epoch === epochs.get(channelId) ? { serverId } : null,
    )
    await work.catch((error: unknown) => {
      if (!isAppError(error, 'NOT_FOUND')) throw error // deleted meanwhile
    })
  }
}
