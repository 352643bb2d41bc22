import { createHash } from 'node:crypto'
import { stamp, type StartStream, type StreamStatus } from '@skipcast/contracts'

/** Messages as a large fleet has them: usual titles, real lengths of ids, hashes and tokens. */

const origin = { application: 'skipcast', environment: 'production' }
const BITRATE_KBPS = 128
const TRACK_MS = 210_000

const uuidOf = (number: number) =>
  `0197a2b4-7c3e-7${(number % 1000).toString().padStart(3, '0')}-9d1e-${number.toString(16).padStart(12, '0')}`
export const channelId = uuidOf
const serverOf = (channel: number, servers: number) => `server-${(channel % servers).toString().padStart(4, '0')}`

/** The wanted stream of a channel with so many tracks. */
export function scaleCommand(channel: number, size: { servers: number; tracks: number }, at: number): StartStream {
  const slug = `channel-${channel.toString().padStart(6, '0')}`
  return {
    ...stamp(origin, at, `${channelId(channel)}:1`),
    channel_id: channelId(channel),
    channel_slug: slug,
    event: 'start_stream',
    generation: 1,
    epoch: 1,
    server_id: serverOf(channel, size.servers),
    mount: `/${slug}`,
    source_token: 't'.repeat(70),
    name: `Channel number ${channel}`,
    description: 'Music without a break, as on most channels.',
    genre: 'various',
    mode: 'copy',
    bitrate_kbps: BITRATE_KBPS,
    tracks: Array.from({ length: size.tracks }, (_, index) => {
      const number = (channel * size.tracks + index) % 1_000_000
      return {
        media_id: uuidOf(number),
        sha256: createHash('sha256').update(`${number}`).digest('hex'),
        size_bytes: (TRACK_MS * BITRATE_KBPS) / 8,
        duration_ms: TRACK_MS,
        title: `A title of usual length ${number}`,
        artist: `Somebody ${number % 5000}`,
      }
    }),
  }
}

/** What its agent tells of it every five seconds. */
export function scaleStatus(channel: number, servers: number, at: number): StreamStatus {
  const slug = `channel-${channel.toString().padStart(6, '0')}`
  const server = serverOf(channel, servers)
  return {
    ...stamp(origin, at, `${server}.${channelId(channel)}.${at}`),
    channel_id: channelId(channel),
    channel_slug: slug,
    event: 'stream_status_update',
    phase: 'on_air',
    server_id: server,
    generation: 1,
    epoch: 1,
    mount: `/${slug}`,
    since: at - TRACK_MS,
    now_playing: {
      track_play_id: `engine-${'e'.repeat(12)}.${channel}`,
      media_id: uuidOf(channel),
      title: 'A title of usual length 123456',
      artist: 'Somebody 1234',
      started_at: at,
      queued_at: at,
    },
    monitors: 1,
    last_error: null,
  }
}
