import type { Track } from '@skipcast/contracts'

/** How a channel is sent, as its owner sets it. */
export interface Sending {
  /** `copy`: the files' frames as they are. `encode`: decoded, mixed and encoded again. */
  readonly mode: 'copy' | 'encode'
  /** What is sent; the files are MP3. */
  readonly format: 'mp3' | 'opus' | 'aac'
  readonly bitrateKbps: number
  /** How long one piece sounds together with the next; 0: not at all. */
  readonly crossfadeMs: number
  /** Every piece is brought to this loudness; null: as it is. */
  readonly loudnessLufs: number | null
}

/** A piece in a playlist, with what is known for its mixing. */
export interface PlaylistTrack extends Omit<Track, 'gain_db' | 'cue_in_ms' | 'cue_out_ms'> {
  readonly loudness_lufs: number | null
  readonly peak_dbfs: number | null
  readonly cue_in_ms: number
  readonly cue_out_ms: number | null
}

/** LAME lowers all it encodes by 0.45 dB: once in the air file, once in the stream. */
const ENCODING_LOSS_DB = 0.9
/** Samples may come out of a lossy encoder somewhat louder than they went in. */
const HIGHEST_PEAK_DBFS = -1
const MOST_GAIN_DB = 20
const MOST_LOSS_DB = 40

/** The tracks as agents need them. Where nothing is decoded, nothing of a mix is said. */
export function mixedTracks({ mode, loudnessLufs }: Sending, tracks: readonly PlaylistTrack[]): Track[] {
  return tracks.map(({ loudness_lufs, peak_dbfs, cue_in_ms, cue_out_ms, ...track }) => {
    if (mode === 'copy') return track
    const gain = loudnessLufs === null ? 0 : gainFor(loudnessLufs, { loudness_lufs, peak_dbfs })
    return {
      ...track,
      ...(gain !== 0 && { gain_db: gain }),
      ...(cue_in_ms > 0 && { cue_in_ms }),
      ...(cue_out_ms !== null && { cue_out_ms }),
    }
  })
}

/** What brings a piece to a loudness without a peak that clips, in steps of 0.1 dB. 0 for a piece that was never measured. */
export function gainFor(targetLufs: number, piece: Pick<PlaylistTrack, 'loudness_lufs' | 'peak_dbfs'>): number {
  if (piece.loudness_lufs === null) return 0
  const wished = targetLufs - piece.loudness_lufs + ENCODING_LOSS_DB
  const room = piece.peak_dbfs === null ? MOST_GAIN_DB : Math.max(0, HIGHEST_PEAK_DBFS - piece.peak_dbfs + ENCODING_LOSS_DB)
  const gain = Math.max(-MOST_LOSS_DB, Math.min(wished, room, MOST_GAIN_DB))
  return Math.round(gain * 10) / 10 + 0 // never -0
}

/** Why a channel can't be sent like this, field by field; nothing when it can. `airBitrateKbps`: of the files. */
export function problemsOf(sending: Sending, airBitrateKbps: number): string[] {
  if (sending.mode === 'encode') return []
  return [
    ...(sending.format === 'mp3' ? [] : ['format: must be mp3 in mode copy, as the files are']),
    ...(sending.crossfadeMs === 0 ? [] : ['crossfade_ms: must be 0 in mode copy']),
    ...(sending.loudnessLufs === null ? [] : ['loudness_lufs: must be null in mode copy']),
    ...(sending.bitrateKbps === airBitrateKbps
      ? []
      : [`bitrate_kbps: must be ${airBitrateKbps} in mode copy, as the files have`]),
  ]
}
