import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { judge, type Sight } from './phase.ts'

const connected = { isConnected: true, problem: '', isPlayable: true }
const heard: Sight = {
  previous: 'on_air',
  heldMs: 60_000,
  engine: connected,
  byteAgoMs: 50,
  soundAgoMs: 50,
  connectedMs: 60_000,
  listeningMs: 60_000,
  standsMs: 0,
  trouble: null,
}
const see = (overrides: Partial<Sight>) => judge({ ...heard, ...overrides }, { silenceAfterMs: 2000 })
const begun: Partial<Sight> = { previous: 'starting', heldMs: 100, connectedMs: 50, byteAgoMs: null, soundAgoMs: null }

describe('the phase of a wanted stream', () => {
  test('is on air only when it is connected, flows and sounds', () => {
    expect(see({})).toEqual({ phase: 'on_air', problem: null })
    fc.assert(
      fc.property(
        fc.record({
          previous: fc.constantFrom<Sight['previous']>('starting', 'on_air', 'silent', 'failing'),
          heldMs: fc.nat(20_000),
          engine: fc.constantFrom<Sight['engine']>(
            'none',
            'silent',
            connected,
            { ...connected, isConnected: false },
            { ...connected, isPlayable: false },
          ),
          byteAgoMs: fc.option(fc.nat(10_000)),
          soundAgoMs: fc.option(fc.nat(10_000)),
          connectedMs: fc.nat(20_000),
          listeningMs: fc.integer({ min: 3000, max: 20_000 }),
          standsMs: fc.nat(3000),
          trouble: fc.constantFrom<Sight['trouble']>(null, 'ENGINE_CRASHED'),
        }),
        (sight) => {
          if (judge(sight, { silenceAfterMs: 2000 }).phase !== 'on_air') return
          expect(sight.engine === connected || sight.engine === 'silent').toBe(true)
          expect(sight.byteAgoMs).toBeLessThanOrEqual(1500)
          expect(sight.soundAgoMs).toBeLessThanOrEqual(2000)
        },
      ),
    )
  })

  test('is starting until it is heard, also while the filler flows', () => {
    expect(see({ ...begun, engine: 'none' })).toEqual({ phase: 'starting', problem: null })
    expect(see({ ...begun, engine: { ...connected, isConnected: false } })).toEqual({ phase: 'starting', problem: null })
    expect(see({ ...begun, byteAgoMs: 20 })).toEqual({ phase: 'starting', problem: null })
  })

  test('is failing when starting takes too long, and stays so until it is heard', () => {
    const late = { ...begun, heldMs: 6000 }
    expect(see({ ...late, engine: { ...connected, isConnected: false } })).toEqual({
      phase: 'failing',
      problem: 'ICECAST_UNAVAILABLE',
    })
    expect(see(late)).toEqual({ phase: 'failing', problem: 'NOT_HEARD' })
    expect(see({ ...begun, previous: 'failing' })).toEqual({ phase: 'failing', problem: 'NOT_HEARD' })
    expect(see({ previous: 'failing' }).phase).toBe('on_air')
  })

  test('is silent when blank audio flows', () => {
    expect(see({ soundAgoMs: 2001 })).toEqual({ phase: 'silent', problem: 'SILENCE' })
    expect(see({ previous: 'starting', soundAgoMs: null })).toEqual({ phase: 'silent', problem: 'SILENCE' })
    expect(see({ previous: 'silent' }).phase).toBe('on_air')
  })

  test('is failing when no byte comes any more, whatever the engine says', () => {
    expect(see({ byteAgoMs: 1501 })).toEqual({ phase: 'failing', problem: 'NOT_HEARD' })
  })

  test('is failing at once when the connection is lost or refused', () => {
    const lost = (problem: string) => see({ engine: { ...connected, isConnected: false, problem } })
    expect(lost('could not write data to host: Connection refused in write()').problem).toBe('ICECAST_UNAVAILABLE')
    expect(lost('401, Authentication Required (HTTP/1.0)').problem).toBe('SOURCE_REFUSED')
    expect(lost('403, Forbidden (HTTP/1.0)').problem).toBe('SOURCE_REFUSED')
    expect(lost('429, Too Many Requests (HTTP/1.1)').problem).toBe('SOURCE_REFUSED')
  })

  test('is failing when its engine has nothing to send, or does not go on with it, also while the filler flows', () => {
    expect(see({ engine: { ...connected, isConnected: false } })).toEqual({ phase: 'failing', problem: 'CHANNEL_STUCK' })
    expect(see({ standsMs: 1500, soundAgoMs: 5000 })).toEqual({ phase: 'failing', problem: 'CHANNEL_STUCK' })
    expect(see({ standsMs: 1499 }).phase).toBe('on_air')
    expect(see({ ...begun, standsMs: 1500 }).phase).toBe('starting')
  })

  test('is failing with what kept the stream from running', () => {
    expect(see({ engine: 'none', trouble: 'ENGINE_CRASHED' })).toEqual({ phase: 'failing', problem: 'ENGINE_CRASHED' })
    expect(see({ engine: { ...connected, isPlayable: false } })).toEqual({ phase: 'failing', problem: 'NOTHING_PLAYABLE' })
  })

  test('stays what it was while a new listener of ours has not heard anything yet', () => {
    const adopted = { byteAgoMs: null, soundAgoMs: null, listeningMs: 200 }
    expect(see(adopted).phase).toBe('on_air')
    expect(see({ ...adopted, previous: 'silent' }).phase).toBe('silent')
    expect(see({ ...adopted, listeningMs: 3001 }).phase).toBe('failing')
  })

  test('is failing when what a new listener of ours did hear does not come any more', () => {
    const young = { byteAgoMs: 1501, soundAgoMs: 1501, listeningMs: 2500 }
    expect(see(young)).toEqual({ phase: 'failing', problem: 'NOT_HEARD' })
    expect(see({ ...young, byteAgoMs: 1400 }).phase).toBe('on_air')
  })

  test('of an engine that does not answer is on air as long as it is heard', () => {
    expect(see({ engine: 'silent' }).phase).toBe('on_air')
    expect(see({ engine: 'silent', byteAgoMs: 900 })).toEqual({ phase: 'failing', problem: 'ENGINE_SILENT' })
  })
})
