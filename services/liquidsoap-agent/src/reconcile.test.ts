import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { memoryBus, type MemoryBus } from '@skipcast/bus'
import type { StreamCommand, StreamEvent } from '@skipcast/contracts'
import { AppError, meters, silentLogger, waitFor } from '@skipcast/runtime'
import { fakeMachine, type FakeMachine } from '../test/fake-machine.ts'
import { aStart, aTrack } from '../test/streams.ts'
import type { MediaCache } from './ports.ts'
import { reconciler, type Reconciler } from './reconcile.ts'
import { mediaSupply } from './supply-media.ts'
import { spoiledTracks } from './spoiled-tracks.ts'
import { agentCounters, telemetry } from './telemetry.ts'
import { troubles as channelTroubles, type Troubles } from './troubles.ts'

const clock = { wallMs: () => now, steadyMs: () => now }
const tell = telemetry(silentLogger(), agentCounters(meters()))

/** A cache whose store has every file but those named. */
function fakeCache(missing: ReadonlySet<string> = new Set()): MediaCache & { files: Set<string> } {
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

let owned: AsyncDisposableStack
let bus: MemoryBus
let machine: FakeMachine
let journaled: StreamEvent[]
let stallEndedAt: number
/** Stands still unless a test moves it on. */
let now: number

beforeEach(() => {
  owned = new AsyncDisposableStack()
  bus = owned.use(memoryBus())
  machine = fakeMachine()
  journaled = []
  stallEndedAt = -Infinity
  now = 1_000_000
})
afterEach(async () => {
  await owned.disposeAsync()
})

const want = (...commands: StreamCommand[]) =>
  bus.publish(
    'streamCommands',
    commands.map((value) => ({ key: value.channel_id, value })),
  )

interface Agent {
  readonly subject: Reconciler
  readonly troubles: Troubles
  readonly nudges: () => number
  /** Passes until nothing asks for another. */
  settle(): Promise<void>
}

async function agent(options: { cache?: MediaCache; warmEngines?: number; isCaughtUp?: boolean } = {}): Promise<Agent> {
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
        stalls: { endedAt: () => stallEndedAt },
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
    async settle() {
      for (let before = -1; before !== nudges;) {
        before = nudges
        await subject.pass()
        await new Promise((resolve) => setImmediate(resolve))
      }
      await subject.pass()
    },
  }
}

const held = ({ subject }: Agent) =>
  subject.seen.engines.flatMap(({ channels }) => channels.map(({ channelId }) => channelId)).sort()

describe('a reconciling agent', () => {
  test('runs what is wanted here and keeps an engine ready', async () => {
    await want(aStart('a'), aStart('b'), aStart('c'), aStart('elsewhere', { server_id: 'there' }))
    const here = await agent()
    await here.settle()
    expect(held(here)).toEqual(['a', 'b', 'c'])
    expect(new Set(here.subject.seen.engines.map(({ channels }) => channels.length))).toEqual(new Set([0, 1, 2]))
  })

  test('touches nothing before it knows what is wanted', async () => {
    await want(aStart('a'))
    const first = await agent()
    await first.settle()
    bus.outage(true)
    const second = await agent({ isCaughtUp: false })
    await second.settle()
    expect(second.subject.seen).toMatchObject({ wanted: null })
    expect(held(second)).toEqual(['a'])
  })

  test('starts the channels of a killed engine in another one at once, and says that it crashed', async () => {
    await want(aStart('a'))
    const here = await agent()
    await here.settle()
    const { id } = here.subject.seen.engines.find(({ channels }) => channels.length > 0)!
    machine.kill(id)
    await here.subject.pass()
    expect(here.troubles.of('a')).toMatchObject({ code: 'ENGINE_CRASHED' })
    await here.settle()
    expect(held(here)).toEqual(['a'])
    expect(here.subject.seen.engines.some((engine) => engine.id === id)).toBe(false)
    expect(journaled.filter(({ event }) => event === 'track_started').map(({ id: eventId }) => eventId)).toContain(`${id}.3`)
  })

  test('notes a crash no sooner than it shows it, or who reports would take what is gone for well', async () => {
    const cache = fakeCache()
    const here = await agent({ cache })
    await want(aStart('a'))
    await here.settle()
    const seenAhead: boolean[] = []
    cache.list = async () => {
      seenAhead.push(here.troubles.of('a') !== null && here.subject.seen.engines.every(({ state }) => state !== 'dead'))
      return cache.files
    }
    machine.kill(here.subject.seen.engines.find(({ channels }) => channels.length > 0)!.id)
    await here.subject.pass()
    expect(here.troubles.of('a')).toMatchObject({ code: 'ENGINE_CRASHED' })
    expect(seenAhead.length).toBeGreaterThan(0)
    expect(seenAhead).not.toContain(true)
  })

  test('holds a channel back that crashed again, and no other', async () => {
    await want(aStart('a'))
    const here = await agent()
    for (let crash = 0; crash < 2; crash++) {
      await here.settle()
      machine.kill(here.subject.seen.engines.find(({ channels }) => channels.length > 0)!.id)
    }
    await want(aStart('b'))
    await here.settle()
    expect(held(here)).toEqual(['b'])
    now += 1000
    await here.settle()
    expect(held(here)).toEqual(['a', 'b'])
  })

  test('stops a frozen engine after a while and starts its channel elsewhere', async () => {
    await want(aStart('a'))
    const here = await agent()
    await here.settle()
    const { id } = here.subject.seen.engines.find(({ channels }) => channels.length > 0)!
    machine.freeze(id, 3000)
    await here.settle()
    expect(here.subject.seen.engines.some((engine) => engine.id === id)).toBe(true)
    machine.freeze(id, 6000)
    await here.settle()
    expect(here.subject.seen.engines.some((engine) => engine.id === id)).toBe(false)
    expect(held(here)).toEqual(['a'])
    expect(here.troubles.of('a')).toMatchObject({ code: 'ENGINE_SILENT' })
  })

  test('lets an engine live that did not answer while the agent itself did not run', async () => {
    await want(aStart('a'))
    const here = await agent()
    await here.settle()
    const { id } = here.subject.seen.engines.find(({ channels }) => channels.length > 0)!
    machine.freeze(id, 9000)
    stallEndedAt = now
    await here.settle()
    expect(here.subject.seen.engines.find((engine) => engine.id === id)).toMatchObject({ state: 'silent' })
    expect(here.troubles.of('a')).toBeNull()
  })

  test('says that the disk is full, which is no fault of a channel: they share an engine again when there is room', async () => {
    await want(aStart('a'), aStart('b'))
    const here = await agent()
    machine.fillDisk(true)
    for (let time = 0; time < 9; time++) {
      await here.settle()
      now += 31_000
    }
    expect(held(here)).toEqual([])
    expect(here.troubles.of('a')).toMatchObject({ code: 'DISK_FULL' })
    machine.fillDisk(false)
    await here.settle()
    expect(here.subject.seen.engines.map(({ channels }) => channels.length)).toEqual(expect.arrayContaining([0, 2]))
  })

  test('says that no engine can be started, and tries again by itself', async () => {
    machine.failStarts(true)
    await want(aStart('a'))
    const here = await agent()
    await here.settle()
    expect(here.subject.seen).toMatchObject({ startTrouble: 'ENGINE_START_FAILED', engines: [] })
    machine.failStarts(false)
    const before = here.nudges()
    await waitFor('the nudge', () => here.nudges() > before, { timeoutMs: 3000 })
    now += 1000
    await here.settle()
    expect(held(here)).toEqual(['a'])
    expect(here.subject.seen.startTrouble).toBeNull()
  })

  test('fetches the first track of every channel first, and starts it without waiting for the rest', async () => {
    const asked: string[] = []
    const cache = fakeCache()
    const slow: MediaCache = {
      ...cache,
      async fetch(sha256) {
        asked.push(sha256)
        if (asked.length > 2) await new Promise(() => {})
        cache.files.add(sha256)
      },
    }
    const tracks = (name: string) => ['1', '2', '3', '4'].map((n) => aTrack(`${name}${n}`))
    await want(aStart('a', { tracks: tracks('a') }), aStart('b', { tracks: tracks('b') }))
    const here = await agent({ cache: slow })
    await here.settle()
    expect(asked.slice(0, 2)).toEqual([aTrack('a1').sha256, aTrack('b1').sha256])
    expect(asked).toHaveLength(6)
    expect(held(here)).toEqual(['a', 'b'])
  })

  test('does nothing and blames nobody while its host is not reached, says so, and goes on when it is', async () => {
    await want(aStart('a'))
    const here = await agent()
    expect(here.subject.seen.reach).toBe('unknown')
    await here.settle()
    const { engines } = here.subject.seen
    machine.cut(true)
    await want(aStart('b'))
    await here.settle()
    expect(here.subject.seen).toMatchObject({ reach: { code: 'HOST_UNREACHABLE' }, engines, startTrouble: null })
    expect(here.troubles.of('a') ?? here.troubles.of('b') ?? null).toBeNull()
    machine.cut(false)
    await here.settle()
    expect(here.subject.seen.reach).toBe('reached')
    expect(held(here)).toEqual(['a', 'b'])
  })

  test('calls no file missing that did not get to a host which is not reached', async () => {
    const cache: MediaCache = {
      ...fakeCache(),
      fetch: async () => {
        throw new AppError('HOST_UNREACHABLE', 'The machine can not be reached')
      },
    }
    await want(aStart('a'))
    const here = await agent({ cache })
    await here.settle()
    expect(here.subject.seen.wanted!.get('a')).toMatchObject({ lack: null, absent: { count: 0 } })
  })

  test('plays what it has when a file is missing', async () => {
    const tracks = [aTrack('gone'), aTrack('here')]
    await want(aStart('a', { tracks }), aStart('b', { tracks: [aTrack('gone')] }))
    const here = await agent({ cache: fakeCache(new Set([aTrack('gone').sha256])) })
    await here.settle()
    expect(held(here)).toEqual(['a'])
    expect(here.subject.seen.wanted!.get('b')).toMatchObject({ lack: 'MEDIA_MISSING' })
  })
})
