import type { WantedStream } from './domain/wanted.ts'

/** What listeners of a channel heard last. */
export interface LastPlay {
  readonly playId: string
  readonly mediaId: string
}

/** Where a channel goes on that is started again. */
export interface Resume {
  /** The stream with its tracks in the order in which they are to be played now: the same round, begun elsewhere. */
  inTurn(stream: WantedStream): WantedStream
  /** An engine took the stream in that order. */
  begun(stream: WantedStream): void
}

/**
 * Goes on with the track after the one that was heard last, so that nobody hears the same opening again and again. If nothing was heard since an engine
 * took the channel the last time, that track may be why: then with the one after it, and so on.
 */
export function resume(lastOf: (channelId: string) => LastPlay | null): Resume {
  const tries = new Map<string, { playId: string; count: number }>()
  const triesSince = (channelId: string, { playId }: LastPlay) => {
    const before = tries.get(channelId)
    return before?.playId === playId ? before.count : 0
  }
  return {
    inTurn(stream) {
      const { channelId } = stream.record
      const last = lastOf(channelId)
      const at = stream.tracks.findIndex(({ media_id }) => media_id === last?.mediaId)
      if (!last || at < 0) return stream
      const first = (at + triesSince(channelId, last) + 1) % stream.tracks.length
      return { ...stream, tracks: [...stream.tracks.slice(first), ...stream.tracks.slice(0, first)] }
    },
    begun({ record: { channelId } }) {
      const last = lastOf(channelId)
      if (last) tries.set(channelId, { playId: last.playId, count: triesSince(channelId, last) + 1 })
      else tries.delete(channelId)
    },
  }
}
