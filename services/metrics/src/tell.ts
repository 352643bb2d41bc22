import type { Bus, StateView } from '@skipcast/bus'
import { stamp, standbyKey, type ListenerMetric } from '@skipcast/contracts'
import { news, readings, type Reading, type Sight, type Told } from './domain/readings.ts'

export interface TellPorts {
  readonly commands: Pick<StateView<'streamCommands'>, 'values'>
  readonly status: Pick<StateView<'streamStatus'>, 'values'>
  readonly bus: Pick<Bus, 'publish'>
  readonly now: () => number
  readonly origin: { readonly application: string; readonly environment: string }
}

/**
 * Publishes what is new in what the Icecasts said last, or everything. Returns what is told then; rejects, with nothing told, with
 * BUS_UNAVAILABLE: the next time tells it, with newer numbers.
 */
export async function tell(
  ports: TellPorts,
  sights: readonly Sight[],
  told: Told,
  isFull: boolean,
): Promise<{ told: Told; published: ListenerMetric[] }> {
  const at = ports.now()
  // Each replica's agent listens to the mount that it feeds.
  const monitorsOf = (channelId: string) =>
    (ports.status.values.get(channelId)?.monitors ?? 0) + (ports.status.values.get(standbyKey(channelId))?.monitors ?? 0)
  const present = readings(sights, ports.commands.values.values(), monitorsOf, told)
  const areSeveral = sights.length > 1
  const published = news(present, told, isFull).map((reading) => toMessage(reading, at, ports.origin, areSeveral))
  if (published.length > 0)
    await ports.bus.publish(
      'listenerMetrics',
      published.map((value) => ({ key: value.channel_id, value })),
    )
  return { told: present, published }
}

function toMessage(reading: Reading, at: number, origin: TellPorts['origin'], areSeveral: boolean): ListenerMetric {
  const { startedAt, shares } = reading
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
    uptime_s: startedAt === null ? 0 : Math.max(0, Math.floor((at - startedAt) / 1000)),
    ...(areSeveral && {
      icecasts: shares.map(({ icecast, seen }) => {
        return { icecast, connections: seen?.connections ?? null, peak: seen?.peak ?? null }
      }),
    }),
  }
}
