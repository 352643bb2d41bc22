import { describe, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { reporterSuite, settled } from '../test/reporter-suite.ts'
import { aStart } from '../test/streams.ts'

const here = reporterSuite()

describe('the report of a channel', () => {
  test('is told at once when it changes, and every five seconds when it does not', async () => {
    await here.want(aStart('a'))
    await here.pass()
    await here.pass()
    here.runs({})
    here.hear()
    await here.pass()
    expect(here.phases()).toEqual(['starting', 'on_air'])
    expect(here.told[0]).toMatchObject({ monitors: 1 })
    expect(here.told.at(-1)).toMatchObject({ monitors: 1, now_playing: { media_id: 'one', started_at: 5005 } })
    for (let ms = 0; ms < 10_000; ms += 250) {
      here.hear()
      await here.pass(250)
    }
    expect(here.phases()).toEqual(['starting', 'on_air', 'on_air', 'on_air'])
    expect(here.journaled.map(({ id, event }) => [id, event])).toEqual([['e.c1.started', 'channel_started']])
  })

  test('is told also while the disk is full, and its events are kept as soon as there is room', async () => {
    await here.onAir()
    here.journaled.length = 0
    here.isDiskFull = true
    here.runs({ isConnected: false, problem: 'refused' })
    await expect(here.pass()).rejects.toThrow('ENOSPC')
    await settled()
    expect(here.told.at(-1)).toMatchObject({ phase: 'failing' })
    here.isDiskFull = false
    await here.pass()
    await here.pass()
    expect(here.journaled.map(({ event }) => event)).toEqual(['channel_failed'])
  })

  test('goes on under the next agent with the same beginning, and starts no second time', async () => {
    await here.onAir()
    const { since } = here.told.at(-1)!
    await here.open()
    await here.pass()
    here.hear()
    await here.pass()
    expect(here.told.slice(-2)).toMatchObject([
      { phase: 'on_air', since },
      { phase: 'on_air', since },
    ])
    expect(here.journaled).toHaveLength(1)
  })

  test('is off when the channel was stopped and is gone, told for as long as an older word may come late, and then no more', async () => {
    await here.onAir()
    await here.want(here.stop())
    await here.pass()
    expect(here.told.at(-1)).toMatchObject({ phase: 'stopping', generation: 2 })
    expect(here.openEars).toEqual([])
    here.runs(null)
    for (let count = 0; count < 6; count++) await here.pass(6000)
    expect(here.phases().slice(-5)).toEqual(['stopping', 'off', 'off', 'off', 'off'])
    expect(here.journaled.map(({ event }) => event)).toEqual(['channel_started', 'channel_stopped'])
    expect(here.memos.size).toBe(0)
  })

  test('is off in the end, although what the agent before had given to the bus comes there later', async () => {
    await here.onAir()
    const late = here.told.at(-1)!
    await here.want(here.stop())
    here.runs(null)
    await here.open()
    await here.pass()
    expect(here.told.at(-1)).toMatchObject({ phase: 'off' })
    await here.bus.publish('streamStatus', [{ key: late.channel_id, value: late }])
    for (let count = 0; count < 6; count++) await here.pass(6000)
    expect(here.told.at(-1)).toMatchObject({ phase: 'off', generation: 2 })
  })

  test('is off also when the channel was stopped and died while no agent was there', async () => {
    await here.onAir()
    await here.want(here.stop())
    here.runs(null)
    await here.open()
    await here.pass()
    expect(here.told.at(-1)).toMatchObject({ phase: 'off', generation: 2 })
  })

  test('is another agent’s as soon as the channel was moved', async () => {
    await here.onAir()
    const count = here.told.length
    await here.want(aStart('a', { server_id: 'there', epoch: 2 }))
    await here.pass(6000)
    expect(here.told).toHaveLength(count)
    expect(here.memos.size).toBe(0)
  })

  test('of a failure says why, and since when', async () => {
    await here.onAir()
    here.runs({ isConnected: false, problem: '401, Authentication Required' })
    await here.pass()
    const failed = here.told.at(-1)!
    expect(failed).toMatchObject({
      phase: 'failing',
      since: here.now,
      now_playing: null,
      last_error: { code: 'SOURCE_REFUSED', at: here.now },
    })
    await here.pass(6000)
    expect(here.told.at(-1)).toMatchObject({ since: failed.since, last_error: failed.last_error })
    expect(here.journaled.at(-1)).toMatchObject({ event: 'channel_failed', error: { code: 'SOURCE_REFUSED' } })
  })

  test('of a channel that was replaced as planned is starting, and tells no failure', async () => {
    await here.onAir()
    await here.want(aStart('a', { generation: 2, epoch: 2 }))
    here.runs({ recordId: 'c2', isConnected: false })
    await here.pass(2100)
    expect(here.told.at(-1)).toMatchObject({ phase: 'starting', generation: 2, epoch: 2, last_error: null })
    here.runs({ recordId: 'c2' })
    here.hear()
    await here.pass()
    expect(here.told.at(-1)).toMatchObject({ phase: 'on_air', since: here.now })
    expect(here.journaled.map(({ event }) => event)).toEqual(['channel_started', 'channel_started'])
  })

  test('waits for the bus, and loses nothing', async () => {
    await here.onAir()
    here.bus.outage(true)
    here.runs({ isConnected: false, problem: 'refused' })
    await here.pass()
    here.bus.outage(false)
    here.runs({})
    here.now += 2000
    here.hear()
    await here.pass()
    await waitFor('the news', () => here.told.at(-1)?.phase === 'on_air' && here.told.at(-1)!.since === here.now, {
      timeoutMs: 2000,
    })
    expect(here.journaled.map(({ event }) => event)).toEqual(['channel_started', 'channel_failed'])
  })

  test('says farewell when the server stops', async () => {
    await here.onAir()
    await here.subject.farewell()
    await settled()
    expect(here.told.at(-1)).toMatchObject({ phase: 'failing', last_error: { code: 'SERVER_STOPPED' } })
  })
})
