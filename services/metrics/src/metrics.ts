import type { ServiceContext } from '@skipcast/bus'
import type { ListenerMetric } from '@skipcast/contracts'
import { messageOf, startLoop } from '@skipcast/runtime'
import { setTimeout as sleep } from 'node:timers/promises'
import { icecastStatistics } from './adapters/icecast-statistics.ts'
import type { MetricsConfig } from './config.ts'
import { poll, type PollPorts, type Told } from './poll.ts'
import type { IcecastStatistics } from './ports.ts'
import { metricsTelemetry } from './telemetry.ts'

export { metricsEnv, type MetricsConfig } from './config.ts'

/** How long `pollOnce` waits to learn which mount is which channel. */
const CATCH_UP_MS = 10_000

export interface MetricsOverrides {
  readonly icecast?: IcecastStatistics
  readonly now?: () => number
}

/** Asks Icecast for its statistics again and again and publishes what changed. Icecast and the bus may be away; it goes on by itself. */
export async function startMetrics(
  config: MetricsConfig,
  context: ServiceContext,
  overrides: MetricsOverrides = {},
): Promise<AsyncDisposable> {
  await using owned = new AsyncDisposableStack()
  const telemetry = metricsTelemetry(context.logger, context.health)
  const ports = await openPorts(config, context, overrides, owned)
  let told: Told = new Map()
  let fullAt = ports.now() // the first poll tells all there is anyway

  async function pass(): Promise<void> {
    // Before all is read, a mount's channel may be unknown and our own monitors would pass for listeners.
    if (!ports.commands.isCaughtUp || !ports.status.isCaughtUp) return
    const isFull = ports.now() - fullAt >= config.fullEveryMs
    const polled = await poll(ports, told, isFull)
    told = polled.told
    if (isFull) fullAt = ports.now()
    telemetry.polled()
  }
  owned.use(startLoop(pass, { everyMs: config.intervalMs, onError: (error) => telemetry.failed(messageOf(error)) }))
  return owned.move()
}

/** One poll that publishes everything: what it published. Rejects with ICECAST_UNAVAILABLE or BUS_UNAVAILABLE. */
export async function pollOnce(
  config: MetricsConfig,
  context: ServiceContext,
  overrides: MetricsOverrides = {},
): Promise<ListenerMetric[]> {
  await using owned = new AsyncDisposableStack()
  const ports = await openPorts(config, context, overrides, owned)
  await Promise.race([
    Promise.all([ports.commands.caughtUp, ports.status.caughtUp]),
    sleep(CATCH_UP_MS, undefined, { ref: false }),
  ])
  return (await poll(ports, new Map(), true)).published
}

async function openPorts(
  config: MetricsConfig,
  context: ServiceContext,
  overrides: MetricsOverrides,
  owned: AsyncDisposableStack,
) {
  const password = config.icecast.password ?? (await context.home.secret('icecast-admin'))
  return {
    icecast: overrides.icecast ?? icecastStatistics({ ...config.icecast, password }),
    commands: owned.use(context.bus.watch('streamCommands')),
    status: owned.use(context.bus.watch('streamStatus')),
    bus: context.bus,
    now: overrides.now ?? Date.now,
    origin: context.origin,
  } satisfies PollPorts
}
