import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ServiceContext } from '@skipcast/bus'
import { childUser, messageOf, runCommand, startLoop, type ChildUser } from '@skipcast/runtime'
import { diskJournal } from './adapters/disk-journal.ts'
import { folderMediaStore } from './adapters/folder-media-store.ts'
import { localHost } from './adapters/local-host.ts'
import { mediaCache } from './adapters/media-cache.ts'
import { memoryFile } from './adapters/memory-file.ts'
import { mountEars } from './adapters/mount-ear.ts'
import type { AgentConfig } from './config.ts'
import type { Engine } from './domain/engine.ts'
import type { HeardAt, Teller } from './domain/engine-event.ts'
import { beat } from './heartbeat.ts'
import type { Clock, EngineHost, Journal, MediaStore, OpenEar } from './ports.ts'
import { ownStalls } from './own-stalls.ts'
import { relayEvents } from './relay-events.ts'
import { reconciler, type Reconciler } from './reconcile.ts'
import { reporter, type Reporter } from './report.ts'
import { spoiledTracks, type SpoiledTracks } from './spoiled-tracks.ts'
import { resume } from './resume.ts'
import { mediaSupply } from './supply-media.ts'
import { showFacts, telemetry, type Telemetry } from './telemetry.ts'
import { troubles as channelTroubles } from './troubles.ts'

export { agentEnv, type AgentConfig } from './config.ts'
export { problemCodes } from './domain/problem.ts'

const SCRIPTS = fileURLToPath(new URL('../../../liquidsoap', import.meta.url))
const REPORT_MS = 250
const HEARTBEAT_MS = 1000

export interface AgentOverrides {
  readonly host?: EngineHost
  readonly store?: MediaStore
  readonly openEar?: OpenEar
  readonly clock?: Clock
}

/**
 * Starts the role `liquidsoap`: makes the engines of this machine match the wanted streams.
 *
 *   commands ─► reconcile ─► engines ─► Icecast ─► ear ─► report ─► status
 *                  ▲            │ events                     │ events
 *                  └── media    └──────────► journal ◄───────┘──► bus
 *
 * Starts with the bus, Icecast and even Liquidsoap away, and goes on by itself when they come. Closed with `hand-over`, engines
 * play on for the next agent; with `stop` they end.
 */
export async function startAgent(
  config: AgentConfig,
  context: ServiceContext,
  overrides: AgentOverrides = {},
): Promise<AsyncDisposable> {
  await using owned = new AsyncDisposableStack()
  const { bus, home, health } = context
  const owner = childUser()
  const teller = { serverId: context.serverId, origin: context.origin }
  const tell = telemetry(context.logger, context.meters)
  const clock = overrides.clock ?? { wallMs: () => Date.now(), steadyMs: () => performance.now() }

  const stalls = owned.use(ownStalls(clock))

  const directory = await home.directory('agent', { mode: 0o711 })
  const cacheDirectory = await home.directory('agent/cache', { mode: 0o711 })
  const store = overrides.store ?? folderMediaStore(resolve(config.media.path ?? join(home.path, 'media')), config.media)
  const cache = mediaCache(cacheDirectory, store)
  const memory = await memoryFile(join(directory, 'channels.json'))
  const journal = owned.use(await diskJournal(await home.directory('agent/journal'), bus, tell))
  const host = owned.use(
    overrides.host ??
      (await localHost({
        directory,
        scripts: SCRIPTS,
        ...config.liquidsoap,
        limits: config.limits,
        icecast: config.icecast,
        owner,
        pathOf: (sha256) => cache.pathOf(sha256),
      })),
  )

  const spoiled = spoiledTracks()
  // Closed in reverse order: this comes after everything below has ended.
  if (context.onStop === 'stop')
    owned.defer(() =>
      stopAll({ host, journal, teller, tell, heardAt: (_, play) => play.startedAt, spoiled }, () => report.farewell()),
    )

  const nudgeReport = () => reporting.nudge()
  const nudge = () => reconciling.nudge()
  const commands = owned.use(bus.watch('streamCommands'))
  const troubles = owned.use(channelTroubles({ clock, onRelease: nudge }))
  for (const [channelId, { error, ...command }] of memory.memos)
    if (error?.code === 'CHANNEL_QUARANTINED') troubles.quarantine(channelId, command)
  const supply = mediaSupply(cache, { clock, onArrival: nudge, tell })
  const reconcile: Reconciler = owned.use(
    reconciler(
      {
        host,
        commands,
        cache,
        supply,
        journal,
        troubles,
        spoiled,
        resume: resume((channelId) => memory.memos.get(channelId)?.lastPlay ?? null),
        clock,
        stalls,
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
  const openEar = overrides.openEar ?? mountEars({ ...config.icecast, now: () => clock.steadyMs() })
  const report: Reporter = owned.use(
    reporter(
      { bus, commands, observed, openEar, journal, memory, troubles, spoiled, clock, stalls, tell },
      { teller, silenceAfterMs: config.silenceAfterMs, onNews: nudgeReport, onDoubt: nudge, onHeard: nudge },
    ),
  )

  const onError = (what: string) => (error: unknown) => tell.passFailed(what, error)
  const reporting = owned.use(
    startLoop(() => tell.measured('report', () => report.pass()), { everyMs: REPORT_MS, onError: onError('report') }),
  )
  const reconciling = owned.use(
    startLoop(
      async () => {
        await tell.measured('reconcile', () => reconcile.pass())
        health.report('liquidsoap', reconcile.seen.startTrouble && 'no engine can be started')
      },
      { everyMs: config.resyncMs, onError: onError('reconcile') },
    ),
  )
  owned.defer(commands.onChange(nudge))
  owned.defer(host.onChange(nudge))

  showFacts(context.meters, {
    phases: () => [...memory.memos.values()].map(({ phase }) => phase),
    engines: () => observed().engines,
    cacheBytes: () => cache.sizeBytes(),
  })

  const server = { teller, startedAt: clock.wallMs(), ...config.server, versions: versions(config.liquidsoap.program, owner) }
  owned.use(
    startLoop(() => beat({ bus, clock, observed }, server), {
      everyMs: HEARTBEAT_MS,
      onError: (error) => tell.busAway('heartbeat', error),
    }),
  )
  return owned.move()
}

/** Ends every engine, channels first, and tells so. One that can't be ended holds up no other. */
async function stopAll(ports: StopPorts, farewell: () => Promise<void>): Promise<void> {
  const { host, tell } = ports
  const end = async ({ id, state, channels }: Engine) => {
    if (state === 'running') await Promise.allSettled(channels.map(({ channelId }) => host.remove(id, channelId)))
    await relayEvents(id, ports).catch((error: unknown) => tell.eventsNotRead(id, error))
    await host.stop(id, { kill: state === 'silent' }).catch((error: unknown) => tell.passFailed('stop', error))
  }
  await Promise.all((await host.list()).map(end))
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

/** What runs here; Liquidsoap's version is there a moment later. */
function versions(program: string, user: ChildUser | undefined): Record<string, string> {
  const found: Record<string, string> = { node: process.versions.node }
  runCommand(program, ['--version'], { timeoutMs: 30_000, user }).then(
    ({ stdout }) => {
      found['liquidsoap'] = /^Liquidsoap (\S+)/.exec(stdout.toString('utf8'))?.[1] ?? 'unknown'
    },
    (error: unknown) => {
      found['liquidsoap'] = `unknown (${messageOf(error)})`
    },
  )
  return found
}
