import type { Channel } from './records.ts'

/**
 * Who plays a channel, under which epochs, and which of its two mounts the primary feeds, or fed last while no server has it; the standby always feeds
 * the other.
 */
export type Replicas = Pick<Channel, 'serverId' | 'epoch' | 'primaryMount' | 'standbyServerId' | 'standbyEpoch'>

/**
 * What a change of servers makes of a channel's replicas. Epochs of both are counted together, and the standby's is always the higher one:
 * - the standby becomes the primary with the epoch and the mount that it has, so that its engine goes on untouched
 * - another server gets a primary without a standby that stays: the next epoch, on the mount where the one before is not, so that they never fight
 *   for one; where the standby stays, that mount is taken, so it is the same, and the standby gets the epoch after
 * - another server gets the standby: the next epoch
 * Where there is no standby, `standbyEpoch` is that of the last one, so that no epoch is given twice.
 */
export function moveReplicas(now: Replicas, to: Pick<Channel, 'serverId' | 'standbyServerId'>): Replicas {
  const { serverId, standbyServerId } = to
  const { epoch, primaryMount, standbyEpoch } = now
  const hasStandby = standbyServerId !== null
  const isSameStandby = standbyServerId === now.standbyServerId
  const last = Math.max(epoch, standbyEpoch)

  if (serverId === now.serverId) {
    const isNew = hasStandby && !isSameStandby
    return { serverId, epoch, primaryMount, standbyServerId, standbyEpoch: isNew ? last + 1 : standbyEpoch }
  }
  if (serverId !== null && serverId === now.standbyServerId) {
    const promoted = { serverId, epoch: standbyEpoch, primaryMount: otherMount(primaryMount) }
    return { ...promoted, standbyServerId, standbyEpoch: hasStandby ? last + 1 : standbyEpoch }
  }
  const isMountKept = serverId === null || epoch === 0 || (hasStandby && isSameStandby)
  return {
    serverId,
    epoch: last + 1,
    primaryMount: isMountKept ? primaryMount : otherMount(primaryMount),
    standbyServerId,
    standbyEpoch: hasStandby ? last + 2 : standbyEpoch,
  }
}

/** The other one of a channel's two mounts. */
export function otherMount(mount: Channel['primaryMount']): Channel['primaryMount'] {
  return mount === 'own' ? 'waiting' : 'own'
}
