import type { StartStream, Track } from '@skipcast/contracts'
import type { Seat } from '../src/domain/seat.ts'
import { wantedStream, type WantedStream } from '../src/domain/wanted.ts'

/** A track of this media id; its hash is made of the id. */
export function aTrack(mediaId: string, overrides: Partial<Track> = {}): Track {
  return {
    media_id: mediaId,
    sha256: Buffer.from(mediaId).toString('hex').padEnd(64, '0').slice(0, 64),
    size_bytes: 1000,
    duration_ms: 10_000,
    title: `Title ${mediaId}`,
    artist: 'Artist',
    ...overrides,
  }
}

export function aStart(channelId: string, overrides: Partial<StartStream> = {}): StartStream {
  return {
    id: `${channelId}-command`,
    version: 1,
    timestamp: 1,
    occurred_at: 1000,
    application: 'skipcast',
    environment: 'test',
    metadata: {},
    event: 'start_stream',
    channel_id: channelId,
    channel_slug: channelId,
    generation: 1,
    epoch: 1,
    server_id: 'here',
    mount: `/${channelId}`,
    source_token: 'a-token',
    name: channelId,
    description: '',
    genre: '',
    mode: 'copy',
    bitrate_kbps: 128,
    tracks: [aTrack('one')],
    ...overrides,
  }
}

/** The seat of who runs it. */
export const primary = (start: StartStream): Seat => ({ role: 'primary', start })

/** A wanted stream whose files are all here. */
export function aStream(channelId: string, overrides: Partial<StartStream> = {}): WantedStream {
  const command = aStart(channelId, overrides)
  return wantedStream(primary(command), { cached: new Set(command.tracks.map(({ sha256 }) => sha256)), missing: new Map() })
}
