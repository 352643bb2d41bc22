import type { Bus, StateView } from '@skipcast/bus'
import { stamp, standbyKey, type ListenerMetric, type StreamStatus } from '@skipcast/contracts'
import { news, readings, type Reading, type Sight, type Told } from './domain/readings.ts'

/** Of the role icecast, at a channel with two replicas. */
const EARS_OF_ICECAST = 2

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
  const monitorsOf = (channelId: string) =>
    ourMonitors(ports.status.values.get(channelId), ports.status.values.get(standbyKey(channelId)))
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

/** Each replica's agent listens to the mount that it feeds, and the role icecast to both while both are played. */
function ourMonitors(primary: StreamStatus | undefined, standby: StreamStatus | undefined): number {
  const areBothPlayed = [primary, standby].every((status) => status?.phase === 'on_air' || status?.phase === 'silent')
  return (primary?.monitors ?? 0) + (standby?.monitors ?? 0) + (areBothPlayed ? EARS_OF_ICECAST : 0)
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
