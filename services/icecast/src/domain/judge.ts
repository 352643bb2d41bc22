import type { SourceClaim, StreamCommand } from '@skipcast/contracts'

/** What is known about the channel that a genuine token speaks of, and about the mount that it wants. */
export interface Known {
  /** The highest epoch that was ever let in to this mount; null: none yet. */
  readonly highestEpoch: number | null
  /** The channel's newest command; undefined when none was read (the bus may be away). */
  readonly command: StreamCommand | undefined
  /** Which channel the mount belongs to, as far as the commands tell. */
  readonly ownerId: string | undefined
}

export type Refusal = 'older-epoch' | 'stopped' | 'mount-of-another-channel'

/**
 * Decides about a source with a genuine token; null lets it in. The same epoch again is an engine that lost its connection.
 * What is not known speaks for the source: with the bus away, engines must still be able to come back.
 */
export function judge(claim: SourceClaim, known: Known): Refusal | null {
  const { command } = known
  if (known.ownerId !== undefined && known.ownerId !== claim.channelId) return 'mount-of-another-channel'
  if (known.highestEpoch !== null && claim.epoch < known.highestEpoch) return 'older-epoch'
  if (command?.event === 'stop_stream' && claim.epoch <= Math.max(command.epoch, command.standby?.epoch ?? 0)) return 'stopped'
  return null
}
