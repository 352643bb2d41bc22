import { describe, expect, test } from '@jest/globals'
import type { StartStream } from '@skipcast/contracts'
import { anEngine, brief, idle, limits, live, wantedOf } from '../../test/engines.ts'
import { aStart, aStream, aTrack, primary } from '../../test/streams.ts'
import { plan } from './plan.ts'
import { wantedStream } from './wanted.ts'

describe('a plan', () => {
  test('is empty when what is wanted runs and one engine is kept ready', () => {
    expect(plan(wantedOf(aStream('a')), [anEngine('e', [aStream('a')]), idle], limits)).toEqual([])
  })

  test('adds a new channel to the fullest engine that has room', () => {
    const streams = [aStream('a'), aStream('b')]
    expect(brief(plan(wantedOf(...streams), [idle, anEngine('e', [streams[0]!])], limits))).toEqual(['add e b'])
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
    const nothingHere = wantedStream(primary(aStart('a', { generation: 2, tracks: [aTrack('two')] })), {
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

  test('removes a channel that its engine does not send, and starts it in another engine', () => {
    const wanted = wantedOf(aStream('a'), aStream('b'))
    const held = ['c7', 'c8'].map((recordId, index) => ({ ...aStream('ab'[index]!).record, live: { ...live, recordId } }))
    const engine = anEngine('e', [], { channels: held })
    const stuck = { ...limits, stuck: new Set(['e.c7']) }
    expect(brief(plan(wanted, [engine, idle], stuck))).toEqual(['remove e a stuck', 'start', 'add idle a'])
    const tainted = { ...limits, tainted: new Set(['e']) }
    expect(brief(plan(wantedOf(aStream('a')), [anEngine('e'), idle], tainted))).toEqual(['stop e tainted', 'start', 'add idle a'])
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

  test('keeps a place for a channel whose turn has not come', () => {
    const waiting = { ...limits, waiting: new Set(['a', 'b', 'c']) }
    const wanted = wantedOf(...['a', 'b', 'c'].map((id) => aStream(id)))
    expect(brief(plan(wanted, [idle], waiting))).toEqual(['start', 'start'])
    expect(brief(plan(wanted, [idle, anEngine('other')], { ...waiting, waiting: new Set(['a', 'b']) }))).toContain('add other c')
  })

  test('lets a channel that another server takes over play on until it is put out, and starts it no more', () => {
    const lingering = { ...limits, lingering: new Set(['a']) }
    const holding = (isConnected: boolean) =>
      anEngine('e', [], { channels: [{ ...aStream('a').record, live: { ...live, isConnected } }] })
    expect(brief(plan(new Map(), [holding(true), idle], lingering))).toEqual([])
    expect(brief(plan(new Map(), [holding(false), idle], lingering))).toContain('remove e a unwanted')
    expect(brief(plan(new Map(), [idle], lingering))).toEqual([])
    expect(brief(plan(new Map(), [holding(true), idle], limits))).toContain('remove e a unwanted')
  })

  test('touches a standby that becomes the primary no more than a new plan does', () => {
    const standby = { server_id: 'here', epoch: 2, mount: '/w/a', source_token: 'b' }
    const command = aStart('a', { server_id: 'there', standby })
    const files = { cached: new Set(command.tracks.map(({ sha256 }) => sha256)), missing: new Map() }
    const before = wantedStream({ role: 'standby', start: { ...command, ...standby } }, files)
    const { standby: _, ...rest } = { ...command, ...standby, generation: 2 }
    const after = wantedStream(primary(rest), files)
    expect(brief(plan(wantedOf(after), [anEngine('e', [before]), idle], limits))).toEqual(['load e a'])
  })

  test('lets the newer of two holders keep a channel', () => {
    const engines = [anEngine('old', [aStream('a', { epoch: 1 })]), anEngine('new', [aStream('a', { epoch: 2 })])]
    expect(brief(plan(wantedOf(aStream('a', { epoch: 2 })), engines, limits))).toEqual(['remove old a twice'])
  })
})
