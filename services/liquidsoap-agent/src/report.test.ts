import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { memoryBus, type MemoryBus } from '@skipcast/bus'
import type { StreamCommand, StreamEvent, StreamStatus } from '@skipcast/contracts'
import { meters, silentLogger, waitFor } from '@skipcast/runtime'
import { aStart, aStream } from '../test/streams.ts'
import type { LiveState } from './domain/engine.ts'
import type { Heard, Memo } from './ports.ts'
import type { Observation } from './reconcile.ts'
import { reporter, type Reporter } from './report.ts'
import { spoiledTracks, type SpoiledTracks } from './spoiled-tracks.ts'
import { telemetry } from './telemetry.ts'
import { troubles as channelTroubles } from './troubles.ts'

type Writable<T> = { -readonly [K in keyof T]: T[K] }

let now: number
let stallEndedAt: number
let doubts: number
let owned: AsyncDisposableStack
let bus: MemoryBus
let told: StreamStatus[]
let journaled: StreamEvent[]
let isDiskFull: boolean
let memos: Map<string, Memo>
let spoiled: SpoiledTracks
let heard: Writable<Heard>
let openEars: string[]
let seen: Observation
let subject: Reporter

beforeEach(async () => {
  now = 1_000_000
  stallEndedAt = -Infinity
  doubts = 0
  owned = new AsyncDisposableStack()
  bus = owned.use(memoryBus())
  told = []
  journaled = []
  isDiskFull = false
  memos = new Map()
  spoiled = spoiledTracks()
  openEars = []
  seen = { engines: [], wanted: new Map(), startTrouble: null }
  const statuses = owned.use(bus.watch('streamStatus'))
  statuses.onChange((key) => key !== null && told.push(statuses.values.get(key)!))
  await open()
})
afterEach(async () => {
  await owned.disposeAsync()
})

/** A reporter, as the next agent opens it: with the same memory. */
async function open(): Promise<void> {
  heard = { isPresent: true, lastByteAt: null, sparseMs: 0, lastSoundAt: null, lastGreetingSoundAt: null, delayMs: 0, titles: [] }
  const clock = { wallMs: () => now, steadyMs: () => now }
  const commands = owned.use(bus.watch('streamCommands'))
  await commands.caughtUp
  subject = reporter(
    {
      bus,
      commands,
      observed: () => seen,
      openEar: (mount) => {
        openEars.push(mount)
        return { heard, nudge: () => {}, [Symbol.asyncDispose]: async () => void openEars.splice(openEars.indexOf(mount), 1) }
      },
      journal: {
        async append(events) {
          if (isDiskFull) throw new Error('ENOSPC: no space left on device')
          journaled.push(...events)
        },
        async [Symbol.asyncDispose]() {},
      },
      memory: { memos, save: async () => {} },
      troubles: owned.use(channelTroubles({ clock, onRelease: () => {} })),
      spoiled,
      clock,
      stalls: { endedAt: () => stallEndedAt },
      tell: telemetry(silentLogger(), meters()),
    },
    {
      teller: { serverId: 'here', origin: { application: 'skipcast', environment: 'test' } },
      silenceAfterMs: 2000,
      onNews: () => {},
      onDoubt: () => (doubts += 1),
      onHeard: () => {},
    },
  )
}

const settled = () => new Promise((resolve) => setImmediate(resolve))
async function pass(afterMs = 100): Promise<void> {
  now += afterMs
  await subject.pass()
  await settled()
  await settled()
}

async function want(command: StreamCommand): Promise<void> {
  await bus.publish('streamCommands', [{ key: command.channel_id, value: command }])
  await settled()
  await settled()
}

/** What the machine shows of channel `a` from now on. */
function runs(live: Partial<LiveState> | null): void {
  const track = { playId: 'e.3', mediaId: 'one', title: 'Title', artist: 'Artist', startedAt: 5 }
  const state: LiveState = {
    recordId: 'c1',
    isConnected: true,
    problem: '',
    isPlayable: true,
    playedS: now / 1000,
    track,
    ...live,
  }
  const channels = live ? [{ ...aStream('a').record, live: state }] : []
  seen = {
    ...seen,
    engines: [{ id: 'e', state: 'running', silentMs: 0, isOutdated: false, channelsAdded: 1, memoryBytes: 0, channels }],
  }
}

const hear = () => Object.assign(heard, { isPresent: true, lastByteAt: now, lastSoundAt: now })
const phases = () => told.map(({ phase }) => phase)
const stop = (): StreamCommand => {
  const { tracks: _, ...start } = aStart('a', { generation: 2 })
  return { ...start, event: 'stop_stream' }
}

async function onAir(): Promise<void> {
  await want(aStart('a'))
  runs({})
  await pass()
  hear()
  await pass()
  expect(told.at(-1)).toMatchObject({ phase: 'on_air' })
}

describe('the report of a channel', () => {
  test('is told at once when it changes, and every five seconds when it does not', async () => {
    await want(aStart('a'))
    await pass()
    await pass()
    runs({})
    hear()
    await pass()
    expect(phases()).toEqual(['starting', 'on_air'])
    expect(told[0]).toMatchObject({ monitors: 1 })
    expect(told.at(-1)).toMatchObject({ monitors: 1, now_playing: { media_id: 'one', started_at: 5 } })
    for (let ms = 0; ms < 10_000; ms += 250) {
      hear()
      await pass(250)
    }
    expect(phases()).toEqual(['starting', 'on_air', 'on_air', 'on_air'])
    expect(journaled.map(({ id, event }) => [id, event])).toEqual([['e.c1.started', 'channel_started']])
  })

  test('is told also while the disk is full, and its events are kept as soon as there is room', async () => {
    await onAir()
    journaled = []
    isDiskFull = true
    runs({ isConnected: false, problem: 'refused' })
    await expect(pass()).rejects.toThrow('ENOSPC')
    await settled()
    expect(told.at(-1)).toMatchObject({ phase: 'failing' })
    isDiskFull = false
    await pass()
    await pass()
    expect(journaled.map(({ event }) => event)).toEqual(['channel_failed'])
  })

  test('goes on under the next agent with the same beginning, and starts no second time', async () => {
    await onAir()
    const { since } = told.at(-1)!
    await open()
    await pass()
    hear()
    await pass()
    expect(told.slice(-2)).toMatchObject([
      { phase: 'on_air', since },
      { phase: 'on_air', since },
    ])
    expect(journaled).toHaveLength(1)
  })

  test('is off once, when the channel was stopped and is gone, and then no more', async () => {
    await onAir()
    await want(stop())
    await pass()
    expect(told.at(-1)).toMatchObject({ phase: 'stopping', generation: 2 })
    expect(openEars).toEqual([])
    runs(null)
    await pass()
    await pass(6000)
    expect(phases().slice(-2)).toEqual(['stopping', 'off'])
    expect(journaled.map(({ event }) => event)).toEqual(['channel_started', 'channel_stopped'])
    expect(memos.size).toBe(0)
  })

  test('is off also when the channel was stopped and died while no agent was there', async () => {
    await onAir()
    await want(stop())
    runs(null)
    await open()
    await pass()
    expect(told.at(-1)).toMatchObject({ phase: 'off', generation: 2 })
  })

  test('is another agent’s as soon as the channel was moved', async () => {
    await onAir()
    const count = told.length
    await want(aStart('a', { server_id: 'there', epoch: 2 }))
    await pass(6000)
    expect(told).toHaveLength(count)
    expect(memos.size).toBe(0)
  })

  test('of a failure says why, and since when', async () => {
    await onAir()
    runs({ isConnected: false, problem: '401, Authentication Required' })
    await pass()
    const failed = told.at(-1)!
    expect(failed).toMatchObject({
      phase: 'failing',
      since: now,
      now_playing: null,
      last_error: { code: 'SOURCE_REFUSED', at: now },
    })
    await pass(6000)
    expect(told.at(-1)).toMatchObject({ since: failed.since, last_error: failed.last_error })
    expect(journaled.at(-1)).toMatchObject({ event: 'channel_failed', error: { code: 'SOURCE_REFUSED' } })
  })

  test('stays what it was after a stall of our own until what came meanwhile has been read', async () => {
    await onAir()
    const { since } = told.at(-1)!
    now += 9000
    stallEndedAt = now
    await pass()
    const { engines } = seen
    seen = {
      ...seen,
      engines: engines.map((engine) => ({
        ...engine,
        state: 'silent',
        channels: [aStream('a').record].map((record) => ({ ...record, live: null })),
      })),
    }
    await pass()
    seen = { ...seen, engines }
    heard.lastByteAt = now
    await pass()
    hear()
    await pass()
    expect(told.filter(({ phase, since: at }) => phase !== 'starting' && (phase !== 'on_air' || at !== since))).toEqual([])
    expect(journaled.map(({ event }) => event)).toEqual(['channel_started'])
    await pass(3000)
    expect(told.at(-1)).toMatchObject({ phase: 'failing', last_error: { code: 'NOT_HEARD' } })
  })

  test('doubts a channel that falls mute, but not for a stall of our own', async () => {
    await onAir()
    await pass(200)
    expect(doubts).toBe(0)
    await pass(100)
    expect(doubts).toBe(1)
    expect(subject.unheard()).toEqual(new Set())
    await pass(500)
    expect(subject.unheard()).toEqual(new Set(['a']))
    stallEndedAt = now
    expect(subject.unheard()).toEqual(new Set())
    await pass(100)
    expect(doubts).toBe(2)
  })

  test('knows a channel that its engine does not go on with, by what it answers again and again', async () => {
    await onAir()
    const still = { playedS: 7 }
    const seeItStand = async (times: number) => {
      for (let time = 0; time < times; time++) {
        runs(still)
        hear()
        await pass(1000)
      }
    }
    await seeItStand(6)
    await pass(1000)
    expect(subject.stuck()).toEqual(new Set())
    await seeItStand(1)
    expect(subject.stuck()).toEqual(new Set(['e.c1']))
    runs({ playedS: 8 })
    await pass()
    expect(subject.stuck()).toEqual(new Set())

    runs({ isConnected: false })
    await pass()
    expect(told.at(-1)).toMatchObject({ phase: 'failing', last_error: { code: 'CHANNEL_STUCK' } })
    now += 6000
    runs({ isConnected: false })
    await pass()
    expect(subject.stuck()).toEqual(new Set(['e.c1']))
    stallEndedAt = now
    expect(subject.stuck()).toEqual(new Set())
  })

  test('of a channel that was replaced as planned is starting, and tells no failure', async () => {
    await onAir()
    await want(aStart('a', { generation: 2, epoch: 2 }))
    runs({ recordId: 'c2', isConnected: false })
    await pass(2100)
    expect(told.at(-1)).toMatchObject({ phase: 'starting', generation: 2, epoch: 2, last_error: null })
    runs({ recordId: 'c2' })
    hear()
    await pass()
    expect(told.at(-1)).toMatchObject({ phase: 'on_air', since: now })
    expect(journaled.map(({ event }) => event)).toEqual(['channel_started', 'channel_started'])
  })

  test('waits for the bus, and loses nothing', async () => {
    await onAir()
    bus.outage(true)
    runs({ isConnected: false, problem: 'refused' })
    await pass()
    bus.outage(false)
    runs({})
    now += 2000
    hear()
    await pass()
    await waitFor('the news', () => told.at(-1)?.phase === 'on_air' && told.at(-1)!.since === now, { timeoutMs: 2000 })
    expect(journaled.map(({ event }) => event)).toEqual(['channel_started', 'channel_failed'])
  })

  test('believes what Icecast greets with only of a source that it saw connect', async () => {
    await want(aStart('a'))
    await pass()
    Object.assign(heard, { isPresent: true, lastByteAt: now, lastGreetingSoundAt: now })
    runs({})
    await pass()
    expect(told.at(-1)).toMatchObject({ phase: 'on_air' })

    memos.clear()
    await open()
    Object.assign(heard, { isPresent: true, lastByteAt: now, lastGreetingSoundAt: now })
    await pass()
    expect(told.at(-1)!.phase).not.toBe('on_air')
  })

  test('says farewell when the server stops', async () => {
    await onAir()
    await subject.farewell()
    await settled()
    expect(told.at(-1)).toMatchObject({ phase: 'failing', last_error: { code: 'SERVER_STOPPED' } })
  })
})
