import { AppError } from '@skipcast/runtime'
import { draftChange, type Draft } from './channel-writes.ts'
import type { Channel, ChannelChange, PlaylistTrack, ToCommand } from './records.ts'

/** What a change needs of the tables. Every method may reject with DATABASE_UNAVAILABLE. */
export interface ChannelRows {
  /** By id or slug. */
  find(idOrSlug: string): Promise<Channel | null>
  /** The playlist in order. */
  tracks(channelId: string): Promise<PlaylistTrack[]>
  /** False, and nothing is written, when the channel is not as the draft took it to be, or somebody else is just changing it. */
  write(draft: Draft): Promise<boolean>
  /** Decides about the channel as it is, which nobody else changes meanwhile, and writes what was decided. Rejects with NOT_FOUND. */
  changeLocked(channelId: string, decide: (channel: Channel) => ChannelChange | null): Promise<Channel>
}

/** Writes if nothing has changed since the channel was seen, and only else takes its lock: see ChannelStore.change. */
export async function changeChannel(
  rows: ChannelRows,
  toCommand: ToCommand,
  seen: Channel | string,
  decide: (channel: Channel) => ChannelChange | null,
): Promise<Channel> {
  const channel = typeof seen === 'string' ? await rows.find(seen) : seen
  if (!channel) throw new AppError('NOT_FOUND', 'There is no such channel.')
  const change = decide(channel)
  if (!change) return channel
  if (change.genreIds) return rows.changeLocked(channel.id, decide) // they are rows of their own
  const draft = await draftChange(channel, change, { toCommand, tracks: () => rows.tracks(channel.id) })
  return (await rows.write(draft)) ? draft.channel : rows.changeLocked(channel.id, decide)
}
