import type { StartStream, Track } from '@skipcast/contracts'

/** Where a round of tracks is. */
export interface Position {
  /** Of the track in the round. */
  readonly index: number
  /** How much of it has been sent. */
  readonly offsetMs: number
  /** When it ends and the next begins, in ms since the Unix epoch. */
  readonly endsAt: number
}

/** An overlap never takes more than half of a track, so that each is heard alone for a while. */
export function overlapMs(track: Track, crossfadeMs: number): number {
  return Math.min(crossfadeMs, lengthMs(track) / 2)
}

function lengthMs({ cue_in_ms = 0, cue_out_ms, duration_ms }: Track): number {
  return Math.max(0, (cue_out_ms ?? duration_ms) - cue_in_ms)
}

/** How long after a track the next one begins. What is copied is played from end to end. */
function turnMs(track: Track, { mode, crossfade_ms = 0 }: Pick<StartStream, 'mode' | 'crossfade_ms'>): number {
  return mode === 'copy' ? track.duration_ms : lengthMs(track) - overlapMs(track, crossfade_ms)
}

/**
 * Where a stream is at this moment if it has played on, round and round, since the beginning of `playing` was sent: all replicas of it that begin there
 * play the same. Null where that can't be told: the track is none of these, or all of them are empty.
 */
export function positionAt(
  at: number,
  stream: Pick<StartStream, 'mode' | 'crossfade_ms'> & { readonly tracks: readonly Track[] },
  playing: { readonly media_id: string; readonly sent_at: number },
): Position | null {
  const turns = stream.tracks.map((track) => turnMs(track, stream))
  const roundMs = turns.reduce((sum, ms) => sum + ms, 0)
  const first = stream.tracks.findIndex(({ media_id }) => media_id === playing.media_id)
  if (first < 0 || roundMs <= 0) return null
  // A clock that is behind the sender's: it has just begun.
  let restMs = Math.max(0, at - playing.sent_at) % roundMs
  for (let step = 0; ; step++) {
    const index = (first + step) % turns.length
    if (restMs < turns[index]!) return { index, offsetMs: restMs, endsAt: at - restMs + turns[index]! }
    restMs -= turns[index]!
  }
}
