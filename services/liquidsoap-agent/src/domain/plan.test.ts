import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import type { StartStream } from '@skipcast/contracts'
import { aStart, aStream, aTrack } from '../../test/streams.ts'
import type { Engine, RunningChannel } from './engine.ts'
import { plan, type PlanLimits, type Step } from './plan.ts'
import { wantedStream, type WantedStream } from './wanted.ts'

const limits: PlanLimits = {
  channelsPerEngine: 2,
  warmEngines: 1,
  silentMs: 6000,
  idleMs: new Map([
    ['idle', 5000],
    ['lately', 4999],
  ]),
  idleGraceMs: 5000,
  channelsPerLife: 50,
  startsPerPass: 2,
  idleMemoryBytes: 1000,
  connectsAtOnce: 10,
  failures: new Map(),
  stuck: new Set(),
  tainted: new Set(),
  heldBack: new Set(),
  unheard: new Set(),
  mayStartEngine: true,
  mayUpgrade: false,
  startsUnderWay: 0,
}

const live = { recordId: 'c1', isConnected: true, problem: '', isPlayable: true, playedS: 1, track: null }
const running = (stream: WantedStream): RunningChannel => ({ ...stream.record, live })

function anEngine(id: string, streams: readonly WantedStream[] = [], overrides: Partial<Engine> = {}): Engine {
  return {
    id,
    state: 'running',
    silentMs: 0,
    isOutdated: false,
    channelsAdded: streams.length,
    memoryBytes: 100,
    channels: streams.map(running),
    ...overrides,
  }
}

const wantedOf = (...streams: WantedStream[]) => new Map(streams.map((stream) => [stream.record.channelId, stream]))
/** Steps without their streams, for reading. */
const brief = (steps: readonly Step[]) =>
  steps.map((step) =>
    [
      step.kind,
      'engineId' in step && step.engineId,
      'channelId' in step ? step.channelId : 'stream' in step && step.stream.record.channelId,
      'reason' in step && step.reason,
    ]
      .filter(Boolean)
      .join(' '),
  )

const idle = anEngine('idle')

describe('a plan', () => {
  test('is empty when what is wanted runs and one engine is kept ready', () => {
    expect(plan(wantedOf(aStream('a')), [anEngine('e', [aStream('a')]), idle], limits)).toEqual([])
  })

  test('adds a new channel to the fullest engine that has room', () => {
    const streams = [aStream('a'), aStream('b')]
    expect(brief(plan(wantedOf(...streams), [idle, anEngine('e', [streams[0]!])], limits))).toEqual(['add e b'])
  })

  test('takes the idle engine when no other has room, and starts the next to be ready', () => {
    const streams = ['a', 'b', 'c'].map((id) => aStream(id))
    const steps = plan(wantedOf(...streams), [anEngine('e', streams.slice(0, 2)), idle], limits)
    expect(brief(steps)).toEqual(['start', 'add idle c'])
  })

  test('starts no engine that is on its way already, and none while they fail', () => {
    expect(plan(new Map(), [], { ...limits, startsUnderWay: 1 })).toEqual([])
    expect(plan(wantedOf(aStream('a')), [], { ...limits, mayStartEngine: false })).toEqual([])
  })

  test('removes what is not wanted, before anything is added', () => {
    const steps = plan(wantedOf(aStream('new')), [anEngine('e', [aStream('old')]), idle], limits)
    expect(brief(steps)).toEqual(['remove e old unwanted', 'add e new'])
  })

  test('loads a plan when only tracks changed, and replaces the channel when anything else did', () => {
    const before = anEngine('e', [aStream('a')])
    const changed = (overrides: Partial<StartStream>) =>
      brief(plan(wantedOf(aStream('a', { generation: 2, ...overrides })), [before, idle], limits))
    expect(changed({ tracks: [aTrack('two')] })).toEqual(['load e a'])
    expect(changed({})).toEqual(['load e a'])
    expect(changed({ name: 'other', description: 'other', genre: 'other' })).toEqual(['load e a'])
    for (const other of [{ epoch: 2 }, { mount: '/b' }, { source_token: 'other' }, { mode: 'encode' as const }]) {
      expect(changed(other)).toEqual(['remove e a outdated', 'add e a'])
    }
  })

  test('lets the old plan play on while no file of the new one is here', () => {
    const nothingHere = wantedStream(aStart('a', { generation: 2, tracks: [aTrack('two')] }), {
      cached: new Set(),
      missing: new Map(),
    })
    expect(plan(wantedOf(nothingHere), [anEngine('e', [aStream('a')]), idle], limits)).toEqual([])
    expect(plan(wantedOf(nothingHere), [idle], limits)).toEqual([])
  })

  test('ends a channel that has no tracks any more', () => {
    const steps = plan(wantedOf(aStream('a', { generation: 2, tracks: [] })), [anEngine('e', [aStream('a')])], limits)
    expect(brief(steps)).toEqual(['remove e a unwanted'])
  })

  test('does nothing for a command that is older than what runs', () => {
    const engine = anEngine('e', [aStream('a', { epoch: 3, generation: 9 })])
    for (const older of [
      { epoch: 2, generation: 10 },
      { epoch: 3, generation: 8, tracks: [aTrack('two')] },
    ]) {
      expect(plan(wantedOf(aStream('a', older)), [engine, idle], limits)).toEqual([])
    }
  })

  test('asks nothing of a silent engine, counts its channels as running, and stops it after a while', () => {
    const silent = (silentMs: number) => anEngine('e', [aStream('a')], { state: 'silent', silentMs })
    expect(plan(wantedOf(aStream('a', { epoch: 2 })), [silent(1000), idle], limits)).toEqual([])
    expect(brief(plan(wantedOf(aStream('a')), [silent(6000), idle], limits))).toEqual(['stop e silent', 'start', 'add idle a'])
  })

  test('stops an engine at once that neither answers nor is heard, and none of which one is true', () => {
    const wanted = wantedOf(aStream('a'), aStream('b'))
    const engine = anEngine('e', [aStream('a'), aStream('b')])
    const stepsOf = (state: Engine['state'], ...unheard: string[]) =>
      brief(plan(wanted, [{ ...engine, state, silentMs: 500 }, idle], { ...limits, unheard: new Set(unheard) }))
    expect(stepsOf('silent', 'a', 'b')).toEqual(['stop e silent', 'start', 'add idle a', 'add idle b'])
    expect(stepsOf('silent', 'a')).toEqual([])
    expect(stepsOf('running', 'a', 'b')).toEqual([])
    const idleToo = plan(new Map(), [{ ...idle, state: 'silent', silentMs: 500 }], { ...limits, startsUnderWay: 1 })
    expect(idleToo).toEqual([])
  })

  test('removes a channel that its engine does not send, and starts it in another engine', () => {
    const wanted = wantedOf(aStream('a'), aStream('b'))
    const held = ['c7', 'c8'].map((recordId, index) => ({ ...aStream('ab'[index]!).record, live: { ...live, recordId } }))
    const engine = anEngine('e', [], { channels: held })
    const stuck = { ...limits, stuck: new Set(['e.c7']) }
    expect(brief(plan(wanted, [engine, idle], stuck))).toEqual(['remove e a stuck', 'start', 'add idle a'])
    const tainted = { ...limits, tainted: new Set(['e']) }
    expect(brief(plan(wantedOf(aStream('a')), [anEngine('e'), idle], tainted))).toEqual(['stop e tainted', 'start', 'add idle a'])
  })

  test('lets channels leave an outdated engine one by one, each when an engine waits for it', () => {
    const wanted = wantedOf(aStream('a'), aStream('b'))
    const old = anEngine('old', [aStream('a'), aStream('b')], { isOutdated: true })
    const may = { ...limits, mayUpgrade: true }
    expect(brief(plan(wanted, [old, idle], limits))).toEqual([])
    expect(brief(plan(wanted, [old, idle], may))).toEqual(['remove old a upgrade', 'start', 'add idle a'])
    expect(brief(plan(wanted, [old], { ...may, warmEngines: 0 }))).toEqual(['start'])
    const connecting = { ...aStream('c').record, live: { ...live, isConnected: false } }
    expect(
      brief(
        plan(wantedOf(aStream('a'), aStream('b'), aStream('c')), [old, anEngine('e', [], { channels: [connecting] }), idle], may),
      ),
    ).toEqual([])
  })

  test('lets a few channels at a time connect', () => {
    const streams = ['a', 'b', 'c', 'd'].map((id) => aStream(id))
    const connecting = { ...live, isConnected: false }
    const engine = anEngine('e', [], { channels: [{ ...streams[0]!.record, live: connecting }] })
    const few = { ...limits, channelsPerEngine: 4, connectsAtOnce: 2, startsUnderWay: 1 }
    expect(brief(plan(wantedOf(...streams), [engine], few))).toEqual(['add e b'])
    const turnedAway = [{ ...streams[0]!.record, live: { ...connecting, problem: '401' } }]
    expect(brief(plan(wantedOf(...streams), [{ ...engine, channels: turnedAway }], few))).toEqual(['add e b', 'add e c'])
  })

  test('parts channels whose engines failed, by halves, until each is alone', () => {
    const streams = ['a', 'b', 'c', 'd'].map((id) => aStream(id))
    const engines = ['e1', 'e2', 'e3', 'e4'].map((id) => anEngine(id))
    const together = (failed: number) => {
      const failures = new Map(['a', 'b', 'c'].map((id) => [id, failed]))
      const steps = plan(wantedOf(...streams), engines, { ...limits, channelsPerEngine: 4, warmEngines: 0, failures })
      const adds = steps.flatMap((step) => (step.kind === 'add' ? [[step.stream.record.channelId, step.engineId] as const] : []))
      return engines
        .map(({ id }) =>
          adds
            .filter(([, engineId]) => engineId === id)
            .map(([channelId]) => channelId)
            .join(''),
        )
        .filter(Boolean)
    }
    expect(together(1)).toEqual(['abcd'])
    expect(together(2)).toEqual(['ab', 'cd'])
    expect(together(3)).toEqual(['a', 'b', 'c', 'd'])
    const failures = new Map(['a', 'b', 'c'].map((id) => [id, 2]))
    const none = plan(wantedOf(...streams.slice(0, 3)), [], {
      ...limits,
      channelsPerEngine: 4,
      warmEngines: 0,
      startsPerPass: 9,
      failures,
    })
    expect(brief(none)).toEqual(['start', 'start'])
  })

  test('keeps no idle engine where those that play have room for each other', () => {
    const [one, two] = [anEngine('one', [aStream('a')]), anEngine('two', [aStream('b')])]
    const wanted = wantedOf(aStream('a'), aStream('b'))
    expect(brief(plan(wanted, [one, two, idle], limits))).toEqual(['stop idle surplus'])
    expect(brief(plan(wanted, [one, two], limits))).toEqual([])
    expect(brief(plan(wanted, [one, { ...two, isOutdated: true }], limits))).toEqual(['start'])
  })

  test('ends an idle engine that is not needed only after a while, so that the next channel finds it', () => {
    const wanted = wantedOf(aStream('a'))
    const [playing, lately] = [anEngine('e', [aStream('a')]), anEngine('lately')]
    const none = { ...limits, warmEngines: 0 }
    expect(brief(plan(wanted, [playing, lately], none))).toEqual([])
    expect(brief(plan(wanted, [playing, idle], none))).toEqual(['stop idle surplus'])
    expect(brief(plan(wanted, [playing, lately, idle], limits))).toEqual(['stop idle surplus'])
    expect(brief(plan(wantedOf(aStream('a'), aStream('b'), aStream('c')), [playing, lately], none))).toEqual([
      'add e b',
      'add lately c',
    ])
  })

  test('ends an engine only when it has nothing left to be removed', () => {
    for (const engine of [
      anEngine('e', [aStream('a')], { isOutdated: true }),
      anEngine('e', [aStream('a')], { channelsAdded: 50 }),
    ])
      expect(brief(plan(new Map(), [engine, idle], limits))).toEqual(['remove e a unwanted'])
  })

  test('clears a dead engine away and starts its channels elsewhere at once, but for those held back', () => {
    const dead = anEngine('e', [aStream('a'), aStream('b')], { state: 'dead' })
    const steps = plan(wantedOf(aStream('a'), aStream('b')), [dead, idle], { ...limits, heldBack: new Set(['b']) })
    expect(brief(steps)).toEqual(['stop e dead', 'start', 'add idle a'])
  })

  test('lets the newer of two holders keep a channel', () => {
    const engines = [anEngine('old', [aStream('a', { epoch: 1 })]), anEngine('new', [aStream('a', { epoch: 2 })])]
    expect(brief(plan(wantedOf(aStream('a', { epoch: 2 })), engines, limits))).toEqual(['remove old a twice'])
  })

  test('gives nothing to an outdated or worn engine, and stops it when it is idle', () => {
    const engines = [
      anEngine('outdated', [aStream('a')], { isOutdated: true }),
      anEngine('worn', [], { channelsAdded: 50 }),
      anEngine('large', [], { memoryBytes: 1001 }),
      idle,
    ]
    const steps = plan(wantedOf(aStream('a'), aStream('b')), engines, limits)
    expect(brief(steps)).toEqual(['stop worn worn', 'stop large worn', 'start', 'add idle b'])
  })
})

describe('planning and acting', () => {
  const channelIds = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
  const stream = fc
    .record({
      channelId: fc.constantFrom(...channelIds),
      epoch: fc.integer({ min: 1, max: 3 }),
      generation: fc.integer({ min: 1, max: 3 }),
      source_token: fc.constantFrom('x', 'y'),
      tracks: fc.subarray(['one', 'two']),
    })
    .map(({ channelId, tracks, ...rest }) => aStream(channelId, { ...rest, tracks: tracks.map((id) => aTrack(id)) }))
  const wanted = fc.array(stream, { maxLength: 7 }).map((streams) => wantedOf(...streams))
  const machine = fc
    .array(
      fc.record({
        streams: fc.array(stream, { maxLength: 3 }).map((streams) => [...wantedOf(...streams).values()]),
        state: fc.constantFrom<Engine['state']>('running', 'running', 'silent', 'dead'),
        silentMs: fc.constantFrom(0, 10_000),
        isOutdated: fc.boolean(),
        channelsAdded: fc.constantFrom(3, 60),
      }),
      { maxLength: 4 },
    )
    .map((engines) => engines.map(({ streams, ...engine }, index) => anEngine(`e${index}`, streams, engine)))

  test('come to rest: nothing is left to do, each wanted channel is held once, and nothing else is held', () => {
    fc.assert(
      fc.property(wanted, machine, fc.boolean(), (streams, engines, mayUpgrade) => {
        let now = engines
        let steps: Step[] = []
        for (let round = 0; round < 20; round++) {
          steps = plan(streams, now, { ...limits, mayUpgrade, idleGraceMs: 0 })
          now = steps.reduce(apply, now)
          // A silent engine either answers by and by or is stopped.
          now = now.map((engine) => (engine.state === 'silent' ? { ...engine, silentMs: engine.silentMs + 3000 } : engine))
        }
        expect(steps).toEqual([])
        const settled = now.filter(({ state }) => state === 'running')
        const held = settled.flatMap(({ channels }) => channels.map(({ channelId }) => channelId))
        expect(new Set(held).size).toBe(held.length)
        for (const { record, tracks } of streams.values()) {
          const isElsewhere = now.some(
            ({ state, channels }) => state === 'silent' && channels.some(({ channelId }) => channelId === record.channelId),
          )
          if (tracks.length > 0 && !isElsewhere) expect(held).toContain(record.channelId)
        }
        for (const channelId of held) expect(streams.has(channelId)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('removes before it adds, and never gives an engine more than it may have', () => {
    fc.assert(
      fc.property(wanted, machine, (streams, engines) => {
        const kinds = plan(streams, engines, limits).map(({ kind }) => kind)
        const lastEnding = Math.max(kinds.lastIndexOf('remove'), kinds.lastIndexOf('stop'))
        const firstBeginning = kinds.findIndex((kind) => kind === 'add' || kind === 'load' || kind === 'start')
        if (firstBeginning >= 0) expect(lastEnding).toBeLessThan(firstBeginning)
        const after = plan(streams, engines, limits).reduce(apply, engines)
        for (const { id, channels } of after) {
          const before = engines.find((engine) => engine.id === id)?.channels.length ?? 0
          expect(channels.length).toBeLessThanOrEqual(Math.max(before, limits.channelsPerEngine))
        }
      }),
    )
  })
})

/** What a machine becomes by a step. */
function apply(engines: readonly Engine[], step: Step): Engine[] {
  const change = (id: string, channels: (before: readonly RunningChannel[]) => readonly RunningChannel[]) =>
    engines.map((engine) => (engine.id === id ? { ...engine, channels: channels(engine.channels) } : engine))
  switch (step.kind) {
    case 'stop':
      return engines.filter(({ id }) => id !== step.engineId)
    case 'remove':
      return change(step.engineId, (before) => before.filter(({ channelId }) => channelId !== step.channelId))
    case 'load':
      return change(step.engineId, (before) =>
        before.map((channel) => (channel.channelId === step.stream.record.channelId ? running(step.stream) : channel)),
      )
    case 'add':
      return change(step.engineId, (before) => [...before, running(step.stream)])
    default:
      return [...engines, anEngine(`new${engines.length}-${engines.reduce((sum, { id }) => sum + id.length, 0)}`)]
  }
}
