import type { ServiceContext, StateView } from '@skipcast/bus'
import type { Phase } from '@skipcast/contracts'
import { startLoop, type OwnStalls } from '@skipcast/runtime'
import type { AgentConfig } from './config.ts'
import type { Engine } from './domain/engine.ts'
import type { HeardAt, Teller } from './domain/engine-event.ts'
import { beat } from './heartbeat.ts'
import { isHostTrouble } from './host-trouble.ts'
import type { Clock, EngineHost, Journal, MediaCache, Memory, OpenEar } from './ports.ts'
import { nudgeLater } from './nudge-later.ts'
import { reachMeter } from './reach-meter.ts'
import { reconciler, type Observation, type Reconciler } from './reconcile.ts'
import { relayEvents } from './relay-events.ts'
import { reporter, type Reporter } from './report.ts'
import { resume } from './resume.ts'
import { spoiledTracks, type SpoiledTracks } from './spoiled-tracks.ts'
import { mediaSupply } from './supply-media.ts'
import type { Telemetry } from './telemetry.ts'
import { troubles as channelTroubles } from './troubles.ts'

const REPORT_MS = 250
const HEARTBEAT_MS = 500
/** A channel that has just fallen mute is looked at so often: each look ends with a report, which would ask for the next at once. */
const DOUBT_MS = 50
/** The next agent of this server has so long to come before its channels go to others. */
const HAND_OVER_MS = 30_000

/** One server: a machine whose engines this agent runs, its own or one that is reached over SSH. */
export interface Server {
  readonly id: string
  /** Its name on the health board. */
  readonly dependency: string
  readonly host: EngineHost
  readonly cache: MediaCache
  readonly memory: Memory
  readonly capacity: number
  readonly labels: Readonly<Record<string, string>>
  readonly versions: () => Readonly<Record<string, string>>
  readonly tell: Telemetry
}

/** What all servers of one agent share. */
export interface AgentParts {
  readonly config: AgentConfig
  readonly context: Pick<ServiceContext, 'bus' | 'origin' | 'health' | 'onStop'>
  readonly commands: StateView<'streamCommands'>
  readonly journal: Journal
  readonly openEar: OpenEar
  readonly clock: Clock
  readonly stalls: OwnStalls
}

export interface RunningServer extends AsyncDisposable {
  readonly phases: () => readonly Phase[]
  readonly observed: () => Observation
}

/**
 * Makes the engines of one server match the wanted streams, and tells of it. Its host is left open when this is closed: it is its maker's.
 *
 *   commands ─► reconcile ─► engines ─► Icecast ─► ear ─► report ─► status
 *                  ▲            │ events                     │ events
 *                  └── media    └──────────► journal ◄───────┘──► bus
 */
export function serve(server: Server, { config, context, commands, ...shared }: AgentParts): RunningServer {
  const owned = new AsyncDisposableStack()
  const { host, cache, memory, tell } = server
  const { clock, journal } = shared
  const { bus, health } = context
  const teller = { serverId: server.id, origin: context.origin }
  const spoiled = spoiledTracks()
  // Closed in reverse order: this comes after everything below has ended.
  if (context.onStop === 'stop')
    owned.defer(() =>
      stopAll({ host, journal, teller, tell, heardAt: (_, play) => play.startedAt, spoiled }, () => report.farewell()),
    )

  const nudgeReport = () => reporting.nudge()
  const nudge = () => reconciling.nudge()
  const doubt = owned.use(nudgeLater(nudge, DOUBT_MS))
  const troubles = owned.use(channelTroubles({ clock, onRelease: nudge }))
  for (const [channelId, { error, ...command }] of memory.memos)
    if (error?.code === 'CHANNEL_QUARANTINED') troubles.quarantine(channelId, command)
  const lastOf = (channelId: string) => memory.memos.get(channelId)?.lastPlay ?? null
  const supply = mediaSupply(cache, { clock, onArrival: nudge, tell })
  const reconcile: Reconciler = owned.use(
    reconciler(
      {
        ...shared,
        host,
        commands,
        cache,
        supply,
        troubles,
        spoiled,
        resume: resume(lastOf, clock),
        lastOf,
        unheard: () => report.unheard(),
        stuck: () => report.stuck(),
        heardAt: (...play) => report.heardAt(...play),
        tell,
        nudge,
      },
      {
        teller,
        ...config.engines,
        cache: { maxBytes: config.media.cacheMaxBytes, freeBytes: config.media.reserveBytes },
        onSeen: nudgeReport,
      },
    ),
  )
  const observed = () => reconcile.seen
  const report: Reporter = owned.use(
    reporter(
      { ...shared, bus, commands, observed, memory, troubles, spoiled, tell },
      { teller, silenceAfterMs: config.silenceAfterMs, onNews: nudgeReport, onDoubt: () => doubt.ask(), onHeard: nudge },
    ),
  )

  const onError = (what: string) => (error: unknown) => tell.passFailed(what, error)
  const reporting = owned.use(
    startLoop(() => tell.measured('report', () => report.pass()), { everyMs: REPORT_MS, onError: onError('report') }),
  )
  const reconciling = owned.use(
    startLoop(
      async () => {
        const before = reconcile.seen.reach
        await tell.measured('reconcile', () => reconcile.pass())
        health.report(server.dependency, problemOf(reconcile.seen))
        if (before !== 'reached' && reconcile.seen.reach === 'reached') beating.nudge()
      },
      { everyMs: config.resyncMs, onError: onError('reconcile') },
    ),
  )
  owned.defer(commands.onChange(nudge))
  owned.defer(host.onChange(nudge))

  const reach = reachMeter(() => memory.memos.values(), clock)
  const self = { ...server, teller, startedAt: clock.wallMs() }
  if (context.onStop === 'hand-over')
    owned.defer(() =>
      beat({ bus, clock, observed, reach }, self, HAND_OVER_MS).catch((error: unknown) => tell.busAway('heartbeat', error)),
    )
  const beating = owned.use(
    startLoop(() => beat({ bus, clock, observed, reach }, self), {
      everyMs: HEARTBEAT_MS,
      onError: (error) => tell.busAway('heartbeat', error),
    }),
  )
  return {
    phases: () => [...memory.memos.values()].map(({ phase }) => phase),
    observed,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function problemOf({ reach, startTrouble }: Observation): string | null {
  if (reach !== 'reached' && reach !== 'unknown') return reach.message
  return startTrouble && 'no engine can be started'
}

/** Ends every engine, channels first, and tells so. One that can't be ended holds up no other. */
async function stopAll(ports: StopPorts, farewell: () => Promise<void>): Promise<void> {
  const { host, tell } = ports
  const end = async ({ id, state, channels }: Engine) => {
    if (state === 'running') await Promise.allSettled(channels.map(({ channelId }) => host.remove(id, channelId)))
    await relayEvents(id, ports).catch((error: unknown) => tell.eventsNotRead(id, error))
    await host.stop(id, { kill: state === 'silent' }).catch((error: unknown) => tell.passFailed('stop', error))
  }
  const engines = await host.list().catch((error: unknown) => {
    if (!isHostTrouble(error)) throw error
    tell.passFailed('stop', error)
    return null // its engines play on, for all we know, and it is not told that they ended
  })
  if (!engines) return
  await Promise.all(engines.map(end))
  await farewell()
}

interface StopPorts {
  readonly host: EngineHost
  readonly journal: Journal
  readonly teller: Teller
  readonly heardAt: HeardAt
  readonly spoiled: SpoiledTracks
  readonly tell: Telemetry
}
