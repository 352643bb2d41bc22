import type { StateView } from '@skipcast/bus'
import { isAppError, type AppError, type OwnStalls } from '@skipcast/runtime'
import { plan, type PlanLimits, type Step } from './domain/plan.ts'
import type { Engine } from './domain/engine.ts'
import type { HeardAt, Teller } from './domain/engine-event.ts'
import type { ProblemCode } from './domain/problem.ts'
import { runningSeats, seatsOf } from './domain/seat.ts'
import { wantedStream, type WantedStream } from './domain/wanted.ts'
import { awaitTurns } from './await-turns.ts'
import { engineStarts } from './engine-starts.ts'
import { isHostTrouble } from './host-trouble.ts'
import { isDiskFull } from './is-disk-full.ts'
import type { Clock, EngineHost, Journal, MediaCache } from './ports.ts'
import { relayEvents } from './relay-events.ts'
import type { Reporter } from './report.ts'
import type { MediaSupply } from './supply-media.ts'
import type { LastPlay, Resume } from './resume.ts'
import type { SpoiledTracks } from './spoiled-tracks.ts'
import type { Telemetry } from './telemetry.ts'
import type { Blame, Troubles } from './troubles.ts'

const SILENT_MS = 6000
/** What an engine leaks per channel (0.24 MB when encoding) stays below 50 MB. */
const CHANNELS_PER_LIFE = 200
/** Between two channels that are interrupted for an upgrade. */
const UPGRADE_EVERY_MS = 3000
/** Who starts and stops channels one after the other finds an engine each time. Who wants no idle engine has none, not even for so long. */
const IDLE_GRACE_MS = 30_000
/** A new one has 91 MB. */
const IDLE_MEMORY_BYTES = 256 * 1024 * 1024
const STARTS_PER_PASS = 2
const CONNECTS_AT_ONCE = 6
const PARALLEL_STEPS = 8
const EVICT_EVERY_MS = 60_000
const EVICT_WHEN_SHORT_MS = 2000

export interface ReconcilePorts {
  readonly host: EngineHost
  readonly commands: StateView<'streamCommands'>
  readonly cache: MediaCache
  readonly supply: MediaSupply
  readonly journal: Journal
  readonly troubles: Troubles
  readonly spoiled: SpoiledTracks
  readonly resume: Resume
  /** What was heard of a channel here last. */
  readonly lastOf: (channelId: string) => LastPlay | null
  readonly clock: Clock
  readonly stalls: OwnStalls
  /** The channels from which our own listeners get nothing any more. */
  readonly unheard: () => ReadonlySet<string>
  /** The additions of channels, `<engine id>.<record id>`, that their engines hold and do not send. */
  readonly stuck: () => ReadonlySet<string>
  /** When a play was heard, see Reporter. */
  readonly heardAt: Reporter['heardAt']
  readonly tell: Telemetry
  /** Asks for another pass soon. */
  readonly nudge: () => void
}

/** What the last pass saw. */
export interface Observation {
  readonly engines: readonly Engine[]
  /** What this server shall run, of either replica; null until the commands have all been read. */
  readonly wanted: ReadonlyMap<string, WantedStream> | null
  /** Why no engine can be started at present. */
  readonly startTrouble: ProblemCode | null
  /** Whether the machine answered when it was looked at last; an error says why not, and the rest is what was seen before. */
  readonly reach: 'unknown' | 'reached' | AppError
}

export interface Reconciler extends AsyncDisposable {
  readonly seen: Observation
  /** Makes the machine match what is wanted, as far as it goes now. */
  pass(): Promise<void>
}

/** A pass: look at the machine, take over what engines told, decide, act. Until all commands were read, nothing is touched. */
export function reconciler(
  ports: ReconcilePorts,
  options: {
    teller: Teller
    channelsPerEngine: number
    warmEngines: number
    cache: { maxBytes: number; freeBytes: number }
    onSeen: () => void
  },
): Reconciler {
  const { host, commands, supply, troubles, clock, tell, nudge } = ports
  const starts = engineStarts(ports)
  const turns = awaitTurns(clock, ports.lastOf, nudge)
  const mourned = new Set<string>()
  const tainted = new Set<string>()
  const idleSince = new Map<string, number>()
  /** Engines whose events could not be taken over: their files must stay. */
  const unread = new Set<string>()
  let startsUnderWay = 0
  let evictedAt = -Infinity
  let upgradedAt = -Infinity
  let seen: Observation = { engines: [], wanted: null, startTrouble: null, reach: 'unknown' }

  const look = async () => {
    startsUnderWay = starts.underWay() // asked before: one that ends meanwhile counts once too often, never not at all
    const listed = await host.list()
    // What did not answer while we did not run may have answered nobody for no fault of its own.
    const ranMs = clock.steadyMs() - ports.stalls.endedAt()
    const engines = listed.map((engine) => ({ ...engine, silentMs: Math.min(engine.silentMs, ranMs) }))
    unread.clear()
    for (const { id, state } of engines) {
      const heardAt: HeardAt = (channelId, play) => ports.heardAt(channelId, play, state === 'dead')
      await relayEvents(id, { ...ports, teller: options.teller, heardAt }).catch((error: unknown) => {
        unread.add(id)
        tell.eventsNotRead(id, error)
      })
    }
    const wanted = commands.isCaughtUp ? await readWanted() : null
    // In one go: who reports meanwhile must not take a channel for well whose crash is noted, and forget the crash.
    noteIdle(engines)
    mournDead(engines)
    seen = { engines, wanted, startTrouble: starts.trouble(), reach: 'reached' }
    options.onSeen()
  }

  const mournDead = (engines: readonly Engine[]) => {
    for (const known of [mourned, tainted]) {
      for (const id of known) if (!engines.some((engine) => engine.id === id)) known.delete(id)
    }
    for (const { id, state, channels } of engines) {
      if (state !== 'dead' || mourned.has(id)) continue
      mourned.add(id)
      tell.engineLost(id, channels.length)
      for (const { channelId } of channels) troubles.note(channelId, 'ENGINE_CRASHED', blameOf(channels))
    }
  }

  const noteIdle = (engines: readonly Engine[]) => {
    const idle = engines.filter(({ state, channels }) => state === 'running' && channels.length === 0).map(({ id }) => id)
    for (const id of idleSince.keys()) if (!idle.includes(id)) idleSince.delete(id)
    for (const id of idle) if (!idleSince.has(id)) idleSince.set(id, clock.steadyMs())
  }

  const seats = () => seatsOf(options.teller.serverId, commands.values)

  const readWanted = async () => {
    const taken = [...runningSeats(seats())]
    const starting = taken.map(([, { start }]) => start)
    for (const command of starting) troubles.commanded(command.channel_id, command)
    const firsts = starting.flatMap(({ tracks }) => tracks.slice(0, 1))
    await supply.want([...firsts, ...starting.flatMap(({ tracks }) => tracks)].map(({ sha256 }) => sha256))
    const files = await supply.files()
    return new Map(taken.map(([channelId, seat]) => [channelId, wantedStream(seat, files)]))
  }

  const limits = (): PlanLimits => ({
    channelsPerEngine: options.channelsPerEngine,
    warmEngines: options.warmEngines,
    silentMs: SILENT_MS,
    idleMs: new Map([...idleSince].map(([id, since]) => [id, clock.steadyMs() - since])),
    idleGraceMs: options.warmEngines > 0 ? IDLE_GRACE_MS : 0,
    channelsPerLife: CHANNELS_PER_LIFE,
    idleMemoryBytes: IDLE_MEMORY_BYTES,
    startsPerPass: STARTS_PER_PASS,
    connectsAtOnce: CONNECTS_AT_ONCE,
    failures: troubles.failures(),
    stuck: ports.stuck(),
    tainted,
    heldBack: troubles.heldBack(),
    waiting: turns.waiting(seats()),
    lingering: new Set([...seats()].flatMap(([channelId, { role }]) => (role === 'lingering' ? [channelId] : []))),
    unheard: ports.unheard(),
    mayUpgrade: clock.steadyMs() - upgradedAt >= UPGRADE_EVERY_MS,
    mayStartEngine: starts.isAllowed(),
    startsUnderWay,
  })

  const evict = async (wanted: ReadonlyMap<string, WantedStream>) => {
    const isShort = [...wanted.values()].some(({ absent }) => absent.count > 0 && absent.why === 'DISK_FULL')
    if (clock.steadyMs() - evictedAt < (isShort ? EVICT_WHEN_SHORT_MS : EVICT_EVERY_MS)) return
    evictedAt = clock.steadyMs()
    const hashes = [...seats().values()].flatMap(({ start }) => start.tracks.map(({ sha256 }) => sha256))
    await ports.cache.evict(new Set(hashes), options.cache)
  }

  /** Takes a step and tells whether the machine is now another than the one that was looked at. */
  const act = async (step: Step): Promise<boolean> => {
    try {
      await take(step, seen.engines)
      tell.stepTaken(step)
      return true
    } catch (error) {
      tell.stepFailed(step, error)
      const isEngineLost = isAppError(error, 'ENGINE_UNREACHABLE') || isHostTrouble(error)
      if (step.kind === 'add' && !isEngineLost) {
        const { channelId } = step.stream.record
        if (isDiskFull(error)) troubles.note(channelId, 'DISK_FULL', { blame: 'machine' })
        else troubles.note(channelId, 'ENGINE_REFUSED', { blame: 'channel' })
      }
      return isEngineLost
    }
  }

  const take = async (step: Step, engines: readonly Engine[]): Promise<void> => {
    switch (step.kind) {
      case 'remove':
        if (step.reason === 'upgrade') upgradedAt = clock.steadyMs()
        if (step.reason === 'stuck') {
          tainted.add(step.engineId)
          troubles.note(step.channelId, 'CHANNEL_STUCK', { blame: 'channel' })
        }
        return host.remove(step.engineId, step.channelId)
      case 'stop': {
        if (step.reason === 'silent') {
          const channels = engines.find(({ id }) => id === step.engineId)?.channels ?? []
          for (const { channelId } of channels) troubles.note(channelId, 'ENGINE_SILENT', blameOf(channels))
          // Told before what follows on its mounts is taken for it.
          seen = { ...seen, engines: seen.engines.filter(({ id }) => id !== step.engineId) }
          options.onSeen()
        }
        return host.stop(step.engineId, { kill: step.reason === 'silent' })
      }
      case 'add':
        await host.add(step.engineId, ports.resume.inTurn(step.stream))
        return ports.resume.begun(step.stream)
      case 'load':
        return host.load(step.engineId, step.stream)
      case 'start':
        return starts.begin(step)
    }
  }

  return {
    get seen() {
      return seen
    },
    async pass() {
      try {
        await look()
      } catch (error) {
        if (!isHostTrouble(error)) throw error
        seen = { ...seen, reach: error }
        return options.onSeen()
      }
      if (!seen.wanted) return
      const steps = plan(seen.wanted, seen.engines, limits())
      if (steps.length === 0) return evict(seen.wanted)
      const endings = steps.filter((step) => step.kind === 'remove' || (step.kind === 'stop' && !unread.has(step.engineId)))
      const beginnings = steps.filter(({ kind }) => kind !== 'remove' && kind !== 'stop')
      const changes = [...(await actAll(endings, act)), ...(await actAll(beginnings, act))]
      if (changes.includes(true)) nudge()
    },
    [Symbol.asyncDispose]() {
      turns[Symbol.dispose]()
      return starts[Symbol.asyncDispose]()
    },
  }
}

/** What ends an engine that has one channel, that channel may have done. */
function blameOf({ length }: Engine['channels']): { blame: Blame } {
  return { blame: length === 1 ? 'channel' : 'engine' }
}

/** Independent steps at once, a bounded number of them. */
async function actAll(steps: readonly Step[], act: (step: Step) => Promise<boolean>): Promise<boolean[]> {
  const waiting = [...steps]
  const changes: boolean[] = []
  const work = async () => {
    for (let step = waiting.shift(); step; step = waiting.shift()) changes.push(await act(step))
  }
  await Promise.all(Array.from({ length: PARALLEL_STEPS }, work))
  return changes
}
