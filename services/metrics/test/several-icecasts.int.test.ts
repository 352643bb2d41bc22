import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { openListener } from '@skipcast/testing'
import { pollOnce, startMetrics } from '../src/metrics.ts'
import { attacks, hostileIcecast, type Attack, type HostileIcecast } from './hostile-icecast.ts'
import { icecast, type Icecast } from './icecast.ts'
import { configFor, until, world, type World } from './world.ts'

describe('several Icecasts', () => {
  let owned: AsyncDisposableStack
  let here: World
  let one: Icecast
  let two: Icecast
  let hostile: HostileIcecast

  beforeEach(async () => {
    owned = new AsyncDisposableStack()
    here = owned.use(await world())
    one = await icecast(here.home, 'icecast-one')
    two = await icecast(here.home, 'icecast-two')
    hostile = owned.use(await hostileIcecast())
  })
  afterEach(() => owned.disposeAsync())

  const listen = async (server: Icecast, mount: string) =>
    owned.use(await openListener(`http://127.0.0.1:${server.port}${mount}`))
  const countOf = (channelId: string) => here.last(channelId)?.count

  test('are summed, with the part of each; one that is down or hangs holds up no other', async () => {
    owned.use(await one.start())
    const second = await two.start()
    owned.use(await one.source('/a'))
    const sourceOfTwo = await two.source('/a')
    owned.use(await startMetrics(configFor([one.port, two.port, hostile.port]), here.context))
    await listen(one, '/a')
    await listen(two, '/a')
    await listen(two, '/a')
    await until('the sum', () => countOf('a') === 3)
    expect(here.last('a')!.icecasts).toEqual([
      { icecast: `127.0.0.1:${one.port}`, connections: 1, peak: 1 },
      { icecast: `127.0.0.1:${two.port}`, connections: 2, peak: 2 },
    ])

    await sourceOfTwo[Symbol.asyncDispose]()
    await second[Symbol.asyncDispose]()
    await listen(one, '/a')
    await until('a listener more, while the second is away', () => here.last('a')?.icecasts?.[0]?.connections === 2)
    await until('both problems', () =>
      [two, hostile].every(({ port }) => here.problem()?.includes(`:${port} gave no statistics`)),
    )
    expect(hostile.mostOpen).toBe(1)
    await until('the second to be left out of the sum', () => here.last('a')?.icecasts?.[1]?.connections === null)
    expect(countOf('a')).toBe(2)

    owned.use(await two.start())
    owned.use(await two.source('/a'))
    await until('the second again', () => here.last('a')?.icecasts?.[1]?.connections === 0)
    const { text } = await here.context.meters.show()
    expect(text).toMatch(new RegExp(`skipcast_icecast_looks_total\\{icecast="127.0.0.1:${one.port}",outcome="read"\\} [1-9]`))
    expect(text).toMatch(new RegExp(`skipcast_icecast_looks_total\\{icecast="127.0.0.1:${two.port}",outcome="failed"\\} [1-9]`))
  }, 90_000)

  test('whatever one of them sends, the other is read, and nothing of it is told', async () => {
    owned.use(await one.start())
    owned.use(await one.source('/a'))
    owned.use(await startMetrics(configFor([one.port, hostile.port]), here.context))
    await until('the good one', () => countOf('a') === 0)
    for (const attack of Object.keys(attacks) as Attack[]) {
      hostile.attack = attack
      const [askedBefore, before] = [hostile.asked, countOf('a')!]
      await until(`two questions to one that ${attack}`, () => hostile.asked > askedBefore + 1)
      await listen(one, '/a')
      await until(`a listener beside one that ${attack}`, () => countOf('a') === before + 1)
    }
    expect(here.told.filter(({ channel_id }) => channel_id !== 'a')).toEqual([])
    expect(hostile.mostOpen).toBe(1)
  }, 120_000)

  test('one poll on demand tells what could be read, and what could not', async () => {
    owned.use(await one.start())
    owned.use(await one.source('/a'))
    hostile.attack = 'sends a page'
    const config = configFor([one.port, hostile.port])
    const poll = () => pollOnce(config, here.context)
    let polled = await poll()
    for (let tries = 0; polled.published.length === 0 && tries < 100; tries++) polled = await poll()
    expect(polled.published).toMatchObject([{ channel_id: 'a', count: 0 }])
    expect(polled.problems).toEqual([expect.stringContaining('something else than statistics')])
    await expect(pollOnce(configFor([two.port]), here.context)).rejects.toMatchObject({ code: 'ICECAST_UNAVAILABLE' })
  }, 60_000)
})
