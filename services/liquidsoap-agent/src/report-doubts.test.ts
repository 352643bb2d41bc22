import { describe, expect, test } from '@jest/globals'
import { reporterSuite } from '../test/reporter-suite.ts'
import { aStart, aStream } from '../test/streams.ts'

const here = reporterSuite()

describe('the report of a channel that may not be heard', () => {
  test('stays what it was after a stall of our own until what came meanwhile has been read', async () => {
    await here.onAir()
    const { since } = here.told.at(-1)!
    here.now += 9000
    here.stallEndedAt = here.now
    await here.pass()
    const { engines } = here.seen
    here.seen = {
      ...here.seen,
      engines: engines.map((engine) => ({
        ...engine,
        state: 'silent',
        channels: [aStream('a').record].map((record) => ({ ...record, live: null })),
      })),
    }
    await here.pass()
    here.seen = { ...here.seen, engines }
    here.heard.lastByteAt = here.now
    await here.pass()
    here.hear()
    await here.pass()
    expect(here.told.filter(({ phase, since: at }) => phase !== 'starting' && (phase !== 'on_air' || at !== since))).toEqual([])
    expect(here.journaled.map(({ event }) => event)).toEqual(['channel_started'])
    await here.pass(3000)
    expect(here.told.at(-1)).toMatchObject({ phase: 'failing', last_error: { code: 'NOT_HEARD' } })
  })

  test('doubts a channel that falls mute, but not for a stall of our own', async () => {
    await here.onAir()
    await here.pass(200)
    expect(here.doubts).toBe(0)
    await here.pass(100)
    expect(here.doubts).toBe(1)
    expect(here.subject.unheard()).toEqual(new Set())
    await here.pass(500)
    expect(here.subject.unheard()).toEqual(new Set(['a']))
    here.stallEndedAt = here.now
    expect(here.subject.unheard()).toEqual(new Set())
    await here.pass(100)
    expect(here.doubts).toBe(2)
  })

  test('waits longer for the bytes of a channel that is silent as AAC, also when its engine is slow to answer', async () => {
    await here.onAir()
    for (let second = 0; second < 4; second++) {
      here.runs({})
      here.hear()
      await here.pass(1000)
    }
    here.runs({ isBlank: true })
    here.hear()
    await here.pass(2100)
    expect(here.told.at(-1)).toMatchObject({ phase: 'silent', last_error: { code: 'SILENCE' } })
    const slow = { state: 'silent' as const, channels: [{ ...aStream('a').record, live: null }] }
    here.seen = { ...here.seen, engines: here.seen.engines.map((engine) => ({ ...engine, ...slow })) }
    await here.pass(1000)
    expect(here.subject.unheard()).toEqual(new Set())
    await here.pass(400)
    expect(here.subject.unheard()).toEqual(new Set(['a']))
    here.runs({ isBlank: true })
    await here.pass(700)
    expect(here.told.at(-1)).toMatchObject({ phase: 'failing', last_error: { code: 'NOT_HEARD' } })
  })

  test('knows a channel that its engine does not go on with, by what it answers again and again', async () => {
    await here.onAir()
    const still = { playedS: 7 }
    const seeItStand = async (times: number) => {
      for (let time = 0; time < times; time++) {
        here.runs(still)
        here.hear()
        await here.pass(1000)
      }
    }
    await seeItStand(6)
    await here.pass(1000)
    expect(here.subject.stuck()).toEqual(new Set())
    await seeItStand(1)
    expect(here.subject.stuck()).toEqual(new Set(['e.c1']))
    here.runs({ playedS: 8 })
    await here.pass()
    expect(here.subject.stuck()).toEqual(new Set())

    here.runs({ isConnected: false })
    await here.pass()
    expect(here.told.at(-1)).toMatchObject({ phase: 'failing', last_error: { code: 'CHANNEL_STUCK' } })
    here.now += 6000
    here.runs({ isConnected: false })
    await here.pass()
    expect(here.subject.stuck()).toEqual(new Set(['e.c1']))
    here.stallEndedAt = here.now
    expect(here.subject.stuck()).toEqual(new Set())
  })

  test('gives a channel that waited for its turn as long to be heard as any other', async () => {
    await here.want(aStart('a'))
    await here.pass(9000)
    here.runs({ isConnected: false })
    await here.pass()
    expect(here.phases().at(-1)).toBe('starting')
    await here.pass(4000)
    here.runs({})
    await here.pass(1500)
    expect(here.told.at(-1)).toMatchObject({ phase: 'failing', last_error: { code: 'NOT_HEARD' } })
  })

  test('believes what Icecast greets with only of a source that it saw connect', async () => {
    await here.want(aStart('a'))
    await here.pass()
    Object.assign(here.heard, { isPresent: true, lastByteAt: here.now, lastGreetingSoundAt: here.now })
    here.runs({})
    await here.pass()
    expect(here.told.at(-1)).toMatchObject({ phase: 'on_air' })

    here.memos.clear()
    await here.open()
    Object.assign(here.heard, { isPresent: true, lastByteAt: here.now, lastGreetingSoundAt: here.now })
    await here.pass()
    expect(here.told.at(-1)!.phase).not.toBe('on_air')
  })
})
