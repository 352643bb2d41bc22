import { memoryBus, type MemoryBus } from '@skipcast/bus'
import type { StreamCommand, StreamEvent } from '@skipcast/contracts'
import { AppError, meters, silentLogger } from '@skipcast/runtime'
import type { MediaCache } from '../src/ports.ts'
import { reconciler, type Reconciler } from '../src/reconcile.ts'
import { mediaSupply } from '../src/supply-media.ts'
import { spoiledTracks } from '../src/spoiled-tracks.ts'
import { agentCounters, telemetry } from '../src/telemetry.ts'
import { troubles as channelTroubles, type Troubles } from '../src/troubles.ts'
import { fakeMachine, type FakeMachine } from './fake-machine.ts'

const tell = telemetry(silentLogger(), agentCounters(meters()))

/** A cache whose store has every file but those named. */
export function fakeCache(missing: ReadonlySet<string> = new Set()): MediaCache & { files: Set<string> } {
  const files = new Set<string>()
  return {
    files,
    list: async () => files,
    async fetch(sha256) {
      if (missing.has(sha256)) throw new AppError('MEDIA_MISSING', 'not there')
      files.add(sha256)
    },
    sizeBytes: async () => 0,
    evict: async () => {},
  }
}

/** An agent's passes, on a bus and a machine in memory. */
export interface TestAgent {
  readonly subject: Reconciler
  readonly troubles: Troubles
  readonly nudges: () => number
  /** The channels that its engines hold, in order. */
  held(): string[]
  /** The id of an engine that holds a channel. */
  busyEngine(): string
  /** Passes until nothing asks for another. */
  settle(): Promise<void>
}

/** Where agents of one machine run: time stands still unless a test moves it on. */
export interface AgentBench extends AsyncDisposable {
  readonly bus: MemoryBus
  readonly machine: FakeMachine
  /** What was told, in order. */
  readonly journaled: StreamEvent[]
  /** Ms, of both clocks. */
  now: number
  /** When this process last ran again after it had not for a while. */
  stallEndedAt: number
  want(...commands: StreamCommand[]): Promise<unknown>
  agent(options?: { cache?: MediaCache; warmEngines?: number; isCaughtUp?: boolean }): Promise<TestAgent>
}

export function agentBench(): AgentBench {
  const owned = new AsyncDisposableStack()
  const bus = owned.use(memoryBus())
  const machine = fakeMachine()
  const journaled: StreamEvent[] = []
  const clock = { wallMs: () => bench.now, steadyMs: () => bench.now }
  const bench: AgentBench = {
    bus,
    machine,
    journaled,
    now: 1_000_000,
    stallEndedAt: -Infinity,
    want: (...commands) =>
      bus.publish(
        'streamCommands',
        commands.map((value) => ({ key: value.channel_id, value })),
      ),
    async agent(options = {}) {
      const commands = owned.use(bus.watch('streamCommands'))
      if (options.isCaughtUp ?? true) await commands.caughtUp
      let nudges = 0
      const nudge = () => (nudges += 1)
      const cache = options.cache ?? fakeCache()
      const troubles = owned.use(channelTroubles({ clock, onRelease: nudge }))
      const supply = mediaSupply(cache, { clock, onArrival: nudge, tell })
      const journal = {
        append: async (events: readonly StreamEvent[]) => void journaled.push(...events),
        async [Symbol.asyncDispose]() {},
      }
      const host = owned.use(machine.open())
      const subject = owned.use(
        reconciler(
          {
            host,
            commands,
            cache,
            supply,
            journal,
            troubles,
            spoiled: spoiledTracks(),
            lastOf: () => null,
            resume: { inTurn: (stream) => stream, begun: () => {} },
            clock,
            stalls: { endedAt: () => bench.stallEndedAt },
            unheard: () => new Set<string>(),
            stuck: () => new Set<string>(),
            heardAt: (_, { startedAt }) => startedAt,
            tell,
            nudge,
          },
          {
            teller: { serverId: 'here', origin: { application: 'skipcast', environment: 'test' } },
            channelsPerEngine: 2,
            warmEngines: options.warmEngines ?? 1,
            cache: { maxBytes: 0, freeBytes: 0 },
            onSeen: () => {},
          },
        ),
      )
      return {
        subject,
        troubles,
        nudges: () => nudges,
        held: () => subject.seen.engines.flatMap(({ channels }) => channels.map(({ channelId }) => channelId)).sort(),
        busyEngine: () => subject.seen.engines.find(({ channels }) => channels.length > 0)!.id,
        async settle() {
          for (let before = -1; before !== nudges;) {
            before = nudges
            await subject.pass()
            await new Promise((resolve) => setImmediate(resolve))
          }
          await subject.pass()
        },
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
  return bench
}
