import type { StartStream } from '@skipcast/contracts'
import { positionAt } from './domain/position.ts'
import type { WantedStream } from './domain/wanted.ts'
import type { Clock } from './ports.ts'

/** What listeners of a channel heard last. */
export interface LastPlay {
  readonly playId: string
  readonly mediaId: string
  /** Of the replica that played it. */
  readonly epoch: number
  /** When its beginning was sent, in ms since the Unix epoch; null where an older agent has not kept that. */
  readonly sentAt: number | null
}

/** Where a channel begins, or goes on that is started again. */
export interface Resume {
  /** The stream with its tracks in the order in which they are to be played now: the same round, begun elsewhere, maybe within a track. */
  inTurn(stream: WantedStream): WantedStream
  /** An engine took the stream in that order. */
  begun(stream: WantedStream): void
}

/** From the command to an engine to its first sound: 50 to 90 ms, measured. */
export const STARTING_MS = 60
/** Nearer than this to where a track begins, it is begun there. */
const NEAR_MS = 250

type Playing = NonNullable<StartStream['playing']>

/**
 * Whoever plays the same as another does, at the same time or after it, begins where that is by now. Else it goes on with the track after the one that
 * was heard last, so that nobody hears the same opening again and again. If nothing was heard since an engine took the channel the last time, that
 * track may be why: then with the one after it, and so on.
 */
export function resume(lastOf: (channelId: string) => LastPlay | null, clock: Pick<Clock, 'wallMs'>): Resume {
  const tries = new Map<string, { key: string; count: number }>()
  const keyOf = (stream: WantedStream) => {
    const last = lastOf(stream.record.channelId)
    const common = commonPlay(stream, last)
    return common ? `${common.media_id}.${common.sent_at}` : (last?.playId ?? null)
  }
  const triesSince = (channelId: string, key: string | null) => {
    const before = tries.get(channelId)
    return before !== undefined && before.key === key ? before.count : 0
  }
  return {
    inTurn(stream) {
      const { channelId } = stream.record
      const last = lastOf(channelId)
      const inVain = triesSince(channelId, keyOf(stream))
      const common = commonPlay(stream, last)
      const soundsAt = clock.wallMs() + STARTING_MS
      const place = common && positionAt(soundsAt, { ...stream.command, tracks: stream.tracks }, common)
      if (place) {
        const isOver = place.endsAt - soundsAt < NEAR_MS
        const isWithin = inVain === 0 && !isOver && place.offsetMs >= NEAR_MS
        return {
          ...begunAt(stream, place.index + inVain + (isOver ? 1 : 0)),
          offsetMs: isWithin ? Math.round(place.offsetMs) : 0,
        }
      }
      const at = stream.tracks.findIndex(({ media_id }) => media_id === last?.mediaId)
      return at < 0 ? stream : begunAt(stream, at + inVain + 1)
    },
    begun(stream) {
      const { channelId } = stream.record
      const key = keyOf(stream)
      if (key === null) tries.delete(channelId)
      else tries.set(channelId, { key, count: triesSince(channelId, key) + 1 })
    },
  }
}

/**
 * What all who play the stream have in common: what was heard last, here or elsewhere; of two that begin together, the first track since it was asked for. Null
 * where nobody else plays it, or did before.
 */
function commonPlay({ command }: WantedStream, last: LastPlay | null): Playing | null {
  const { standby, playing = null, epoch, tracks, occurred_at } = command
  if (!standby) return last?.epoch === epoch ? null : playing
  const own = last?.sentAt == null ? null : { media_id: last.mediaId, sent_at: last.sentAt }
  if (own && playing) return own.sent_at > playing.sent_at ? own : playing
  return own ?? playing ?? (tracks[0] ? { media_id: tracks[0].media_id, sent_at: occurred_at } : null)
}

function begunAt(stream: WantedStream, index: number): WantedStream {
  const first = index % stream.tracks.length
  return { ...stream, tracks: [...stream.tracks.slice(first), ...stream.tracks.slice(0, first)] }
}
