import type { StartStream, StreamEvent } from '@skipcast/contracts'

/** Tracks that an engine could not play lately. A fresh agent learns of them anew as their turns come. */
export interface SpoiledTracks {
  note(event: StreamEvent): void
  /** How many tracks of the channel can't be played. */
  count(start: StartStream): number
  /** The channel is none of ours any more. */
  forget(channelId: string): void
}

export function spoiledTracks(): SpoiledTracks {
  const spoiled = new Map<string, Set<string>>()
  return {
    note(event) {
      if (event.event === 'track_started') spoiled.get(event.channel_id)?.delete(event.media_id)
      // One that was not found is fetched again, and missing where that fails.
      if (event.event !== 'track_failed' || event.reason !== 'not_playable') return
      const ofChannel = spoiled.get(event.channel_id) ?? new Set()
      spoiled.set(event.channel_id, ofChannel.add(event.media_id))
    },
    count({ channel_id, tracks }) {
      const ofChannel = spoiled.get(channel_id)
      if (!ofChannel) return 0
      const wanted = new Set(tracks.map(({ media_id }) => media_id))
      for (const mediaId of ofChannel) if (!wanted.has(mediaId)) ofChannel.delete(mediaId)
      return ofChannel.size
    },
    forget: (channelId) => void spoiled.delete(channelId),
  }
}
