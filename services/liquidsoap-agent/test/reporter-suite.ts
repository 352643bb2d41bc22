import { afterEach, beforeEach, expect } from '@jest/globals'
import { memoryBus, type MemoryBus } from '@skipcast/bus'
import type { StreamCommand, StreamEvent, StreamStatus } from '@skipcast/contracts'
import { meters, silentLogger } from '@skipcast/runtime'
import type { LiveState } from '../src/domain/engine.ts'
import type { Heard, Memo } from '../src/ports.ts'
import type { Observation } from '../src/reconcile.ts'
import { reporter, type Reporter } from '../src/report.ts'
import { spoiledTracks, type SpoiledTracks } from '../src/spoiled-tracks.ts'
import { agentCounters, telemetry } from '../src/telemetry.ts'
import { troubles } from '../src/troubles.ts'
import { aStart, aStream } from './streams.ts'

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** A reporter of one channel `a`, what it sees and hears, and what it told. Time stands still but for `pass`. */
export interface ReporterSuite {
  now: number
  stallEndedAt: number
  isDiskFull: boolean
  seen: Observation
  readonly subject: Reporter
  readonly bus: MemoryBus
  readonly heard: Writable<Heard>
  readonly told: StreamStatus[]
  readonly journaled: StreamEvent[]
  readonly memos: Map<string, Memo>
  /** The mounts that are listened to. */
  readonly openEars: string[]
  /** How often it asked for another look. */
  readonly doubts: number
  /** The next agent's reporter, with the same memory. */
  open(): Promise<void>
  pass(afterMs?: number): Promise<void>
  want(command: StreamCommand): Promise<void>
  stop(): StreamCommand
  /** What the machine shows of the channel from now on; null: nothing. */
  runs(live: Partial<LiveState> | null): void
  /** Sound comes now. */
  hear(): void
  /** The channel is wanted, runs, and is heard. */
  onAir(): Promise<void>
  phases(): string[]
}

export const settled = () => new Promise((resolve) => setImmediate(resolve))

/** Registers what comes before and after the tests of this file. */
export function reporterSuite(): ReporterSuite {
  let owned: AsyncDisposableStack
  let bus: MemoryBus
  let spoiled: SpoiledTracks
  let subject: Reporter
  const unheard = (): Writable<Heard> => ({
    isPresent: true,
    lastByteAt: null,
    lastSoundAt: null,
    lastGreetingSoundAt: null,
    delayMs: 0,
    titles: [],
  })
  const fresh = () => ({
    now: 1_000_000,
    stallEndedAt: -Infinity,
    isDiskFull: false,
    seen: { engines: [], wanted: new Map(), startTrouble: null, reach: 'reached' } as Observation,
    heard: unheard(),
    told: [] as StreamStatus[],
    journaled: [] as StreamEvent[],
    memos: new Map<string, Memo>(),
    openEars: [] as string[],
    doubts: 0,
  })
  const world = {
    ...fresh(),
    get bus() {
      return bus
    },
    get subject() {
      return subject
    },
    async open() {
      world.heard = unheard()
      const { heard, openEars } = world
      const clock = { wallMs: () => world.now, steadyMs: () => world.now }
      const commands = owned.use(bus.watch('streamCommands'))
      await commands.caughtUp
      subject = reporter(
        {
          bus,
          commands,
          observed: () => world.seen,
          openEar: ({ mount }) => {
            openEars.push(mount)
            return {
              heard,
              nudge: () => {},
              [Symbol.asyncDispose]: async () => void openEars.splice(openEars.indexOf(mount), 1),
            }
          },
          journal: {
            async append(events) {
              if (world.isDiskFull) throw new Error('ENOSPC: no space left on device')
              world.journaled.push(...events)
            },
            async [Symbol.asyncDispose]() {},
          },
          memory: { memos: world.memos, save: async () => {} },
          troubles: owned.use(troubles({ clock, onRelease: () => {} })),
          spoiled,
          clock,
          stalls: { endedAt: () => world.stallEndedAt },
          tell: telemetry(silentLogger(), agentCounters(meters())),
        },
        {
          teller: { serverId: 'here', origin: { application: 'skipcast', environment: 'test' } },
          silenceAfterMs: 2000,
          onNews: () => {},
          onDoubt: () => (world.doubts += 1),
          onHeard: () => {},
        },
      )
    },
    async pass(afterMs = 100) {
      world.now += afterMs
      await subject.pass()
      await settled()
      await settled()
    },
    async want(command: StreamCommand) {
      await bus.publish('streamCommands', [{ key: command.channel_id, value: command }])
      await settled()
      await settled()
    },
    stop(): StreamCommand {
      const { tracks: _, ...start } = aStart('a', { generation: 2 })
      return { ...start, event: 'stop_stream' }
    },
    runs(live: Partial<LiveState> | null) {
      const track = { playId: 'e.3', mediaId: 'one', title: 'Title', artist: 'Artist', startedAt: 5005, sentAt: 5000 }
      const state = {
        recordId: 'c1',
        isConnected: true,
        problem: '',
        isPlayable: true,
        isBlank: false,
        playedS: world.now / 1000,
        track,
        ...live,
      }
      const channels = live ? [{ ...aStream('a').record, live: state }] : []
      const engine = { id: 'e', state: 'running', silentMs: 0, isOutdated: false, channelsAdded: 1, memoryBytes: 0 } as const
      world.seen = { ...world.seen, engines: [{ ...engine, channels }] }
    },
    hear: () => void Object.assign(world.heard, { isPresent: true, lastByteAt: world.now, lastSoundAt: world.now }),
    async onAir() {
      await world.want(aStart('a'))
      world.runs({})
      await world.pass()
      world.hear()
      await world.pass()
      expect(world.told.at(-1)).toMatchObject({ phase: 'on_air' })
    },
    phases: () => world.told.map(({ phase }) => phase),
  }

  beforeEach(async () => {
    owned = new AsyncDisposableStack()
    Object.assign(world, fresh())
    bus = owned.use(memoryBus())
    spoiled = spoiledTracks()
    const statuses = owned.use(bus.watch('streamStatus'))
    statuses.onChange((key) => key !== null && world.told.push(statuses.values.get(key)!))
    await world.open()
  })
  afterEach(async () => {
    await owned.disposeAsync()
  })
  return world
}
