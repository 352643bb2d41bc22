import type { Bus, StateView } from '@skipcast/bus'
import { stamp, type ListenerMetric } from '@skipcast/contracts'
import { news, readings, type Reading } from './domain/readings.ts'
import type { IcecastStatistics } from './ports.ts'

export interface PollPorts {
  readonly icecast: IcecastStatistics
  readonly commands: Pick<StateView<'streamCommands'>, 'values'>
  readonly status: Pick<StateView<'streamStatus'>, 'values'>
  readonly bus: Pick<Bus, 'publish'>
  readonly now: () => number
  readonly origin: { readonly application: string; readonly environment: string }
}

/** What was told last, by channel. */
export type Told = ReadonlyMap<string, Reading>

/**
 * Reads Icecast once and publishes what is new, or everything. Returns what is told then; rejects, with nothing told, with
 * ICECAST_UNAVAILABLE or BUS_UNAVAILABLE: the next poll tells it, with newer numbers.
 */
export async function poll(ports: PollPorts, told: Told, isFull: boolean): Promise<{ told: Told; published: ListenerMetric[] }> {
  const statistics = await ports.icecast.read()
  const at = ports.now()
  const monitorsOf = (channelId: string) => ports.status.values.get(channelId)?.monitors ?? 0
  const present = readings(statistics, ports.commands.values.values(), monitorsOf, at)
  const published = news(present, told, isFull).map((reading) => toMessage(reading, at, ports.origin))
  if (published.length > 0)
    await ports.bus.publish(
      'listenerMetrics',
      published.map((value) => ({ key: value.channel_id, value })),
    )
  return { told: present, published }
}

function toMessage(reading: Reading, at: number, origin: PollPorts['origin']): ListenerMetric {
  return {
    ...stamp(origin, at, `listeners-${reading.channelId}-${at}`),
    event: 'listener_count_update',
    channel_id: reading.channelId,
    channel_slug: reading.slug,
    mount: reading.mount,
    count: reading.count,
    peak: reading.peak,
    bitrate_kbps: reading.bitrateKbps,
    title: reading.title,
    uptime_s: reading.uptimeS,
  }
}
