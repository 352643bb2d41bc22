import { memoryBus, type MemoryBus, type ServiceContext } from '@skipcast/bus'
import { stamp, type ListenerMetric, type StreamCommand, type StreamStatus } from '@skipcast/contracts'
import { healthBoard, meters, readConfig, silentLogger, waitFor, type Home } from '@skipcast/runtime'
import { temporaryHome } from '@skipcast/testing'
import { metricsEnv, type MetricsConfig } from '../src/metrics.ts'
import { PASSWORD } from './icecast.ts'

const origin = { application: 'skipcast', environment: 'test' }

/** What role metrics lives in, with the channels `a` and `b`, and all that it tells. */
export interface World extends AsyncDisposable {
  readonly home: Home
  readonly bus: MemoryBus
  readonly context: ServiceContext
  readonly told: ListenerMetric[]
  /** The last that was told of a channel. */
  last(channelId: string): ListenerMetric | undefined
  /** What `/readyz` would say. */
  problem(): string | null | undefined
}

export async function world(): Promise<World> {
  await using owned = new AsyncDisposableStack()
  const home = owned.use(await temporaryHome())
  const bus = owned.use(memoryBus())
  const health = healthBoard()
  const told: ListenerMetric[] = []
  owned.use(bus.consume({ topic: 'listenerMetrics', group: 'test', handle: async (message) => void told.push(message) }))
  for (const slug of ['a', 'b']) await bus.publish('streamCommands', [{ key: slug, value: stopped(slug) }])
  const place = { serverId: 'here', origin, onStop: 'stop' } as const
  const context = { bus, home, logger: silentLogger(), health, meters: meters(), ...place }
  const all = owned.move()
  return {
    home,
    bus,
    context,
    told,
    last: (channelId) => told.findLast(({ channel_id }) => channel_id === channelId),
    problem: () => health.read()['listener metrics']?.problem,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** Role metrics for these ports of this machine, ten looks a second, each of one second at most. */
export function configFor(ports: readonly number[], more: Record<string, string> = {}): MetricsConfig {
  const given = {
    METRICS_ICECASTS: ports.map((port) => `127.0.0.1:${port}`).join(),
    ICECAST_PASSWORD: PASSWORD,
    METRICS_INTERVAL_MS: '100',
    METRICS_TIMEOUT_MS: '1000',
    ...more,
  }
  return readConfig({ metrics: metricsEnv }, given).metrics
}

export function until(what: string, condition: () => boolean | undefined): Promise<true> {
  return waitFor(what, condition, { timeoutMs: 30_000 })
}

const about = (slug: string) => ({ ...stamp(origin, 1, slug), channel_id: slug, channel_slug: slug, mount: `/${slug}` })

/** Whether the channel is on or off makes no difference here: the mount is there or not. */
function stopped(slug: string): StreamCommand {
  return { ...about(slug), event: 'stop_stream', generation: 1, epoch: 1, server_id: 'here' }
}

export function status(slug: string, monitors: number): StreamStatus {
  const state = {
    phase: 'on_air',
    server_id: 'here',
    generation: 1,
    epoch: 1,
    since: 1,
    now_playing: null,
    last_error: null,
  } as const
  return { ...about(slug), event: 'stream_status_update', ...state, monitors }
}
