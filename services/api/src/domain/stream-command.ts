import { signSourceToken, stamp, streamCommand, type StreamCommand, type StreamStatus } from '@skipcast/contracts'
import { mountsOf } from './mounts.ts'
import { mixedTracks, type PlaylistTrack, type Sending } from './mix.ts'
import type { WantedStream } from './stream-view.ts'

/** A channel as far as agents need to know it. */
export interface CommandedChannel extends WantedStream, Sending {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly genre: string
  readonly privacy: 'public' | 'private'
  readonly maxListeners: number | null
  readonly primaryMount: 'own' | 'waiting'
  readonly standbyServerId: string | null
  readonly standbyEpoch: number
  readonly movedFrom: string | null
  readonly movedBecause: string | null
  readonly handOver: 'now' | 'track_end' | null
}

export interface CommandContext {
  readonly origin: { readonly application: string; readonly environment: string }
  /** Signs the channel's password at Icecast. */
  readonly signingKey: string
  /** What was told last of a channel, by whoever had it then. */
  readonly lastTold: (channelId: string) => StreamStatus | undefined
}

/** The id of the command in force: the same however often it is published. */
export function commandId(channel: { readonly id: string; readonly generation: number }): string {
  return `${channel.id}:${channel.generation}`
}

/** The message that tells everybody what is wanted of a channel. Throws when the contract does not allow it. */
export function toStreamCommand(
  context: CommandContext,
  channel: CommandedChannel,
  tracks: readonly PlaylistTrack[],
  at: Date,
): StreamCommand {
  const { id, slug, generation, epoch } = channel
  const mounts = mountsOf(channel)
  const tokenFor = (claimed: string, since: number) =>
    signSourceToken(context.signingKey, { channelId: id, mount: claimed, epoch: since })
  const { standbyServerId, standbyEpoch, movedFrom, handOver } = channel
  const standby = standbyServerId !== null && { server_id: standbyServerId, epoch: standbyEpoch, mount: mounts.standby }
  const common = {
    ...stamp(context.origin, at.getTime(), commandId(channel)),
    channel_id: id,
    channel_slug: slug,
    generation,
    epoch,
    server_id: channel.serverId,
    mount: mounts.primary,
  }
  if (channel.wanted === 'off') return streamCommand.parse({ ...common, event: 'stop_stream', ...(standby && { standby }) })
  return streamCommand.parse({
    ...common,
    event: 'start_stream',
    source_token: tokenFor(mounts.primary, epoch),
    ...(standby && { standby: { ...standby, source_token: tokenFor(mounts.standby, standbyEpoch) } }),
    ...(movedFrom !== null && handOver !== null && { takes_over: { server_id: movedFrom, at: handOver } }),
    ...(movedFrom !== null && movedFrom !== channel.serverId && { moved_from: movedFrom }),
    ...playingOf(channel, context.lastTold(id)),
    name: channel.name,
    description: channel.description,
    genre: channel.genre,
    mode: channel.mode,
    ...(channel.format !== 'mp3' && { format: channel.format }),
    bitrate_kbps: channel.bitrateKbps,
    ...(channel.mode === 'encode' && channel.crossfadeMs > 0 && { crossfade_ms: channel.crossfadeMs }),
    tracks: mixedTracks(channel, tracks),
    ...(channel.privacy === 'private' && { listeners: 'signed' }),
    ...(channel.maxListeners !== null && { max_listeners: channel.maxListeners }),
  })
}

/** What is heard, for whoever begins anew. Nothing, where what was told is of the time before the channel was off. */
function playingOf({ epoch, movedBecause }: CommandedChannel, told: StreamStatus | undefined) {
  const { media_id, queued_at: sent_at } = told?.now_playing ?? {}
  if (!told || media_id === undefined || sent_at === undefined) return {}
  if (told.phase === 'off' || told.phase === 'stopping' || (movedBecause === 'start' && told.epoch < epoch)) return {}
  return { playing: { media_id, sent_at } }
}
