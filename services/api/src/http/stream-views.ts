import { nowPlaying as nowPlayingMessage, phase, standbyKey, type StreamError } from '@skipcast/contracts'
import { COUNT_STALE_AFTER_MS, type Channel } from '@skipcast/db'
import { z } from 'zod'
import { commandId } from '../domain/stream-command.ts'
import { standbyView, streamView, type StreamFacts } from '../domain/stream-view.ts'
import type { ApiPorts } from '../ports.ts'
import { channelBody } from './channel-views.ts'
import { counter, instant, isoOf } from './views.ts'

/** How a stream is, as the API answers. */

const errorBody = z.object({ code: z.string(), message: z.string(), hint: z.string(), at: instant }).nullable()

const streamBody = z
  .object({
    phase,
    server: z.string().nullable().meta({ description: 'Where it was placed.' }),
    epoch: counter,
    mount: z.string(),
    listen_url: z.string(),
    since: instant.nullable().meta({ description: 'When the phase began.' }),
    observed_at: instant.nullable().meta({
      description:
        'When its agent was last known to see it so: it told of it then, or was heard and had nothing new. null: nobody has told of it.',
    }),
    stale: z.boolean().meta({ description: 'True while the bus is out of reach: all this is as it was at `observed_at`.' }),
    now_playing: nowPlayingMessage.omit({ started_at: true, queued_at: true }).extend({ started_at: instant }).nullable(),
    listeners: counter.nullable().meta({ description: 'null: not known.' }),
    last_error: errorBody,
    standby: z
      .object({ server: z.string().nullable(), phase, since: instant.nullable(), last_error: errorBody })
      .nullable()
      .meta({
        description:
          'The second replica: another server plays the same and takes over at once when the first is lost. null: none is wanted.',
      }),
  })
  .meta({ id: 'Stream' })

const channelSummary = channelBody.pick({ id: true, name: true, slug: true, state: true })
export const streamStatusBody = z.object({ message: z.string(), channel: channelSummary, stream: streamBody })
export const streamCommandBody = streamStatusBody.extend({ command: z.object({ id: z.string() }) })

export async function showStream(ports: ApiPorts, channel: Channel, message: string): Promise<z.output<typeof streamStatusBody>> {
  const counted = await ports.stores.listenerCounts.find(channel.id)
  const isFresh = counted !== null && Date.now() - counted.observedAt.getTime() < COUNT_STALE_AFTER_MS
  return { message, ...streamOf(ports, channel, isFresh ? { count: counted.count, at: counted.observedAt.getTime() } : null) }
}

export type StreamPorts = Pick<ApiPorts, 'statuses' | 'fleet' | 'deafSince' | 'settings'>

/** The same, without the number of listeners, which is another matter. */
export function showStreamEvent(ports: StreamPorts, channel: Channel) {
  const { channel: summary, stream } = streamOf(ports, channel, null)
  const { listeners: _listeners, ...rest } = stream
  return { channel: summary, stream: rest }
}

function streamOf(
  ports: StreamPorts,
  channel: Channel,
  listeners: StreamFacts['listeners'],
): Omit<z.output<typeof streamStatusBody>, 'message'> {
  const deafSince = ports.deafSince()
  const factsOf = (serverId: string | null, key: string) => ({
    status: ports.statuses.get(key),
    server: serverId === null ? ({ kind: 'unknown' } as const) : ports.fleet.sight(serverId),
    heardAt: serverId === null ? null : ports.fleet.heardAt(serverId),
    deafSince,
  })
  const view = streamView({ wanted: channel, ...factsOf(channel.serverId, channel.id), listeners })
  const second = standbyView({ wanted: channel, ...factsOf(channel.standbyServerId, standbyKey(channel.id)) })
  return {
    channel: { id: channel.id, name: channel.name, slug: channel.slug, state: channel.wanted },
    stream: {
      phase: view.phase,
      server: view.server,
      epoch: view.epoch,
      mount: view.mount,
      listen_url: ports.settings.listenUrl + view.mount,
      since: view.since === null ? null : isoOf(view.since),
      observed_at: view.observedAt === null ? null : isoOf(view.observedAt),
      stale: view.isStale,
      now_playing: view.nowPlaying && { ...view.nowPlaying, started_at: isoOf(view.nowPlaying.started_at) },
      listeners: view.listeners,
      last_error: showError(view.lastError),
      standby: second && {
        server: second.server,
        phase: second.phase,
        since: second.since === null ? null : isoOf(second.since),
        last_error: showError(second.lastError),
      },
    },
  }
}

function showError(error: StreamError | null): z.output<typeof errorBody> {
  return error && { ...error, at: isoOf(error.at) }
}

export async function showCommand(
  ports: ApiPorts,
  channel: Channel,
  message: string,
): Promise<z.output<typeof streamCommandBody>> {
  return { ...(await showStream(ports, channel, message)), command: { id: commandId(channel) } }
}
