import { stamp, topics, type MessageOf } from '@skipcast/contracts'
import { busEnv, type BusConfig } from '../src/index.ts'

const at = Date.parse('2026-01-01T00:00:00Z')
const origin = { application: 'skipcast', environment: 'test' }

/** A stream event that says which one it is by its `id`. */
export function channelStarted(id: string, channelId = 'channel-1'): MessageOf<'streamEvents'> & { event: 'channel_started' } {
  return {
    ...stamp(origin, at, id),
    event: 'channel_started',
    channel_id: channelId,
    channel_slug: channelId,
    server_id: 'server-1',
    epoch: 1,
    mount: `/${channelId}`,
  }
}

/** A heartbeat whose `load` tells it from the others of the same server. */
export function heartbeat(serverId: string, load: number): MessageOf<'serverHeartbeats'> {
  return {
    ...stamp(origin, at, `${serverId}-${load}`),
    event: 'server_heartbeat',
    server_id: serverId,
    started_at: at,
    labels: {},
    capacity: 100,
    load,
    engines: 1,
    channels: load,
    versions: {},
  }
}

/** A wanted stream of so many tracks: the largest message there is. */
export function startStream(channelId: string, trackCount: number): MessageOf<'streamCommands'> {
  return {
    ...stamp(origin, at, `${channelId}-start`),
    event: 'start_stream',
    channel_id: channelId,
    channel_slug: channelId,
    generation: 1,
    epoch: 1,
    server_id: 'server-1',
    mount: `/${channelId}`,
    source_token: 'token',
    name: 'Name',
    description: '',
    genre: '',
    mode: 'copy',
    bitrate_kbps: 128,
    tracks: Array.from({ length: trackCount }, (_, index) => ({
      media_id: `media-${index}`,
      sha256: index.toString(16).padStart(64, '0'),
      size_bytes: 4_000_000,
      duration_ms: 200_000,
      title: `A title of usual length, number ${index}`,
      artist: `An artist of usual length, number ${index}`,
    })),
  }
}

/** A bus with topics of its own, all beginning with `prefix`; `security` holds variables. */
export function configFor(address: string, prefix: string, security: Record<string, string> = {}): BusConfig {
  const names = Object.values(topics).map(({ env, defaultName }) => [env, `${prefix}-${defaultName}`])
  return busEnv.parse({ KAFKA_BROKER: address, KAFKA_CONSUMER_GROUP: prefix, ...security, ...Object.fromEntries(names) })
}
