import { describe, expect, test } from '@jest/globals'
import { anEngine, brief, idle, limits, live, wantedOf } from '../../test/engines.ts'
import { aStream } from '../../test/streams.ts'
import type { Engine } from './engine.ts'
import { plan } from './plan.ts'

describe('a plan for engines', () => {
  test('takes the idle engine when no other has room, and starts the next to be ready', () => {
    const streams = ['a', 'b', 'c'].map((id) => aStream(id))
    const steps = plan(wantedOf(...streams), [anEngine('e', streams.slice(0, 2)), idle], limits)
    expect(brief(steps)).toEqual(['start', 'add idle c'])
  })

  test('starts no engine that is on its way already, and none while they fail', () => {
    expect(plan(new Map(), [], { ...limits, startsUnderWay: 1 })).toEqual([])
    expect(plan(wantedOf(aStream('a')), [], { ...limits, mayStartEngine: false })).toEqual([])
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
