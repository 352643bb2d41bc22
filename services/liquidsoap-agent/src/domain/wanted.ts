import { createHash } from 'node:crypto'
import type { StartStream, Track } from '@skipcast/contracts'
import type { ChannelRecord } from './engine.ts'
import type { Seat } from './seat.ts'

/** A stream that this server shall run, as far as its files are here. */
export interface WantedStream {
  readonly record: ChannelRecord
  /** As this replica runs it. */
  readonly command: StartStream
  /** The tracks to play now, in order. Empty while no file of them has arrived. */
  readonly tracks: readonly Track[]
  /** How far into the first of them it begins; absent: at its beginning. */
  readonly offsetMs?: number
  /** Why there is nothing to play and nothing on its way. */
  readonly lack: 'NO_TRACKS' | Absence | null
  /** Tracks whose files can't be had, and why most likely. */
  readonly absent: { readonly count: number; readonly why: Absence }
}

/** Why a file is not here. */
export type Absence = 'MEDIA_MISSING' | 'DISK_FULL'

/** Which files are here, by hash, and which can't be had at present. */
export interface Files {
  readonly cached: ReadonlySet<string>
  readonly missing: ReadonlyMap<string, Absence>
}

/** What to run of a stream, as far as its files are here. */
export function wantedStream({ role, start: command }: Seat, files: Files): WantedStream {
  const tracks = playableTracks(command.tracks, files)
  return {
    command,
    tracks,
    lack: tracks.length > 0 ? null : lackOf(command.tracks, files),
    absent: absentOf(command.tracks, files),
    record: {
      channelId: command.channel_id,
      slug: command.channel_slug,
      mount: command.mount,
      epoch: command.epoch,
      generation: command.generation,
      settings: hash([
        command.channel_slug,
        command.mount,
        command.epoch,
        command.source_token,
        command.mode,
        command.mode === 'encode' ? command.bitrate_kbps : null,
        ...given([command.crossfade_ms]),
        ...given([command.format]),
      ]),
      content: hash(
        tracks.map((track) => {
          const { media_id, sha256, title, artist, gain_db, cue_in_ms, cue_out_ms } = track
          return [media_id, sha256, title, artist, ...given([gain_db, cue_in_ms, cue_out_ms])]
        }),
      ),
      ...(role === 'standby' && { isStandby: true }),
    },
  }
}

/**
 * All tracks once every file is here or known to be missing. Until then the first 1, 2, 4, 8, … of those that are here:
 * a channel starts with its first file, and its plan is loaded again a few times only, however many files follow.
 */
function playableTracks(tracks: readonly Track[], { cached, missing }: Files): Track[] {
  const here = tracks.filter(({ sha256 }) => cached.has(sha256))
  const isSettled = tracks.every(({ sha256 }) => cached.has(sha256) || missing.has(sha256))
  return isSettled || here.length === 0 ? here : here.slice(0, 2 ** Math.floor(Math.log2(here.length)))
}

function lackOf(tracks: readonly Track[], { missing }: Files): WantedStream['lack'] {
  if (tracks.length === 0) return 'NO_TRACKS'
  return tracks.every(({ sha256 }) => missing.has(sha256)) ? whyOf(tracks, missing) : null
}

function absentOf(tracks: readonly Track[], { missing }: Files): WantedStream['absent'] {
  return { count: tracks.filter(({ sha256 }) => missing.has(sha256)).length, why: whyOf(tracks, missing) }
}

function whyOf(tracks: readonly Track[], missing: Files['missing']): Absence {
  return tracks.some(({ sha256 }) => missing.get(sha256) === 'DISK_FULL') ? 'DISK_FULL' : 'MEDIA_MISSING'
}

/** Nothing where none of these is there: a hash from before they existed stays what it was, and its channel plays on. */
function given<T>(values: readonly (T | undefined)[]): readonly (T | undefined)[] {
  return values.every((value) => value === undefined) ? [] : values
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 22)
}
