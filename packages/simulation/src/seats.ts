import type { Channel } from '@skipcast/db'
import { mountsOf } from '@skipcast/icecast/core'

/** Who is to feed which mount, the primary first. */
export function seatsOf({ id, serverId, epoch, primaryMount, standbyServerId, standbyEpoch }: Channel) {
  const [own, waiting] = mountsOf(`/${id}`)
  const [first, second] = primaryMount === 'own' ? [own, waiting] : [waiting, own]
  const seats: { server: string; epoch: number; mount: string }[] = []
  if (serverId !== null) seats.push({ server: serverId, epoch, mount: first })
  if (standbyServerId !== null) seats.push({ server: standbyServerId, epoch: standbyEpoch, mount: second })
  return seats
}

/** What an engine holds of a channel, and a row wants. */
interface Version {
  readonly channelId: string
  readonly epoch: number
  readonly generation: number
}

export function isNewer(a: Version, b: Version): boolean {
  return a.epoch > b.epoch || (a.epoch === b.epoch && a.generation > b.generation)
}

export function nameOf({ channelId, epoch, generation }: Version): string {
  return `${channelId} in epoch ${epoch}, generation ${generation}`
}
