import type { ServiceContext } from '@skipcast/bus'
import type { ListenerMetric } from '@skipcast/contracts'
import { messageOf, startLoop } from '@skipcast/runtime'
import { setTimeout as sleep } from 'node:timers/promises'
import { icecastStatistics } from './adapters/icecast-statistics.ts'
import type { MetricsConfig } from './config.ts'
import type { Sight, Told } from './domain/readings.ts'
import { keepLooking } from './look.ts'
import type { IcecastStatistics } from './ports.ts'
import { tell, type TellPorts } from './tell.ts'
import { metricsTelemetry } from './telemetry.ts'

export { metricsEnv, type MetricsConfig } from './config.ts'

/** How long `pollOnce` waits to learn which mount is which channel. */
const CATCH_UP_MS = 10_000
/** An Icecast counts as silent when it gave nothing in the time that so many answers may take. */
const ANSWERS_MISSED = 2
/** So long the first telling waits for all Icecasts, so that a start does not tell half of the listeners. */
const FIRST_LOOKS_MS = 1000

export interface MetricsOverrides {
  readonly now?: () => number
}

/**
 * Asks each Icecast for its statistics again and again and publishes what changed:
 *
 *   Icecast ──► look ──┐
 *   Icecast ──► look ──┴─ nudge ─► tell (one at a time) ──► bus
 *
 * Icecasts and the bus may be away; it goes on by itself.
 */
export async function startMetrics(
  config: MetricsConfig,
  context: ServiceContext,
  overrides: MetricsOverrides = {},
): Promise<AsyncDisposable> {
  await using owned = new AsyncDisposableStack()
  const telemetry = metricsTelemetry(context.logger, context.health, context.meters)
  const ports = openPorts(context, overrides, owned)
  const icecasts = await openIcecasts(config, context)
  const steadyMs = () => performance.now()
  const startedAt = steadyMs()
  let told: Told = new Map()
  const stretchOf = (at: number) => Math.floor(at / config.fullEveryMs)
  let fullIn = stretchOf(ports.now()) // the first time tells all there is anyway

  async function pass(): Promise<void> {
    // Before all is read, a mount's channel may be unknown and our own monitors would pass for listeners.
    if (!ports.commands.isCaughtUp || !ports.status.isCaughtUp) return
    if (!looking.every(({ hasLooked }) => hasLooked) && steadyMs() < startedAt + FIRST_LOOKS_MS) return
    const sights = looking.map(({ sight }) => sight)
    if (sights.every(({ mounts }) => mounts === null)) return
    // By the clock, not by the time since the last: each minute then has a picture of its own in the history.
    const stretch = stretchOf(ports.now())
    const outcome = await tell(ports, sights, told, stretch !== fullIn)
    told = outcome.told
    fullIn = stretch
    telemetry.told(outcome.published.length)
  }
  const telling = owned.use(
    startLoop(pass, { everyMs: config.fullEveryMs, onError: (error) => telemetry.notTold(messageOf(error)) }),
  )
  const onLook = () => telling.nudge()
  const lookPorts = { telemetry, steadyMs, onLook }
  const times = { everyMs: config.intervalMs, holdMs: ANSWERS_MISSED * config.timeoutMs }
  const looking = icecasts.map((icecast) => owned.use(keepLooking(icecast, times, lookPorts)))
  return owned.move()
}

/** What one poll of all Icecasts gave. */
export interface Polled {
  readonly published: readonly ListenerMetric[]
  /** What is wrong with those that gave nothing. */
  readonly problems: readonly string[]
}

/** One poll that publishes everything. Rejects with ICECAST_UNAVAILABLE when no Icecast answers, or with BUS_UNAVAILABLE. */
export async function pollOnce(config: MetricsConfig, context: ServiceContext): Promise<Polled> {
  await using owned = new AsyncDisposableStack()
  const ports = openPorts(context, {}, owned)
  const icecasts = await openIcecasts(config, context)
  await Promise.race([
    Promise.all([ports.commands.caughtUp, ports.status.caughtUp]),
    sleep(CATCH_UP_MS, undefined, { ref: false }),
  ])
  const answers = await Promise.allSettled(icecasts.map((icecast) => icecast.read()))
  const problems = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []))
  if (problems.length === icecasts.length) throw problems[0]
  const sights = answers.map((answer, index): Sight => {
    const mounts = answer.status === 'fulfilled' ? new Map(answer.value.map((entry) => [entry.mount, entry])) : null
    return { icecast: icecasts[index]!.name, mounts }
  })
  const { published } = await tell(ports, sights, new Map(), true)
  return { published, problems: problems.map(messageOf) }
}

function openPorts(context: ServiceContext, overrides: MetricsOverrides, owned: AsyncDisposableStack) {
  return {
    commands: owned.use(context.bus.watch('streamCommands')),
    status: owned.use(context.bus.watch('streamStatus')),
    bus: context.bus,
    now: overrides.now ?? Date.now,
    origin: context.origin,
  } satisfies TellPorts
}

async function openIcecasts(config: MetricsConfig, context: ServiceContext): Promise<IcecastStatistics[]> {
  const password = config.password ?? (await context.home.secret('icecast-admin'))
  const { user, timeoutMs } = config
  return config.icecasts.map((at) => icecastStatistics({ ...at, user, password, timeoutMs }))
}
