import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { anEngine, limits, running, wantedOf } from '../../test/engines.ts'
import { aStream, aTrack } from '../../test/streams.ts'
import type { Engine, RunningChannel } from './engine.ts'
import { plan, type Step } from './plan.ts'

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
