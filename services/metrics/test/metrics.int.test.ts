import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { openListener } from '@skipcast/testing'
import { pollOnce, startMetrics } from '../src/metrics.ts'
import { icecast, type Icecast } from './icecast.ts'
import { configFor, status, until, world, type World } from './world.ts'

describe('listener metrics of a real Icecast', () => {
  let owned: AsyncDisposableStack
  let here: World
  let server: Icecast

  beforeEach(async () => {
    owned = new AsyncDisposableStack()
    here = owned.use(await world())
    server = await icecast(here.home)
  })
  afterEach(() => owned.disposeAsync())

  const configOf = (more?: Record<string, string>) => configFor([server.port], more)
  const last = (channelId: string) => here.last(channelId)
  const isPolled = () => here.problem() === null
  const url = (mount: string) => `http://127.0.0.1:${server.port}${mount}`

  test('no mount, one, two, and one again; listeners come and go; monitors do not count', async () => {
    owned.use(await server.start())
    owned.use(await startMetrics(configOf(), here.context))
    await until('a good poll', isPolled)
    expect(here.told).toEqual([])

    owned.use(await server.source('/a', { 'Ice-Bitrate': '128' }))
    await until('one mount', () => last('a')?.count === 0)
    expect(last('a')).toMatchObject({
      event: 'listener_count_update',
      channel_slug: 'a',
      mount: '/a',
      bitrate_kbps: 128,
      title: null,
    })
    const second = await server.source('/b', { 'Ice-Audio-Info': 'bitrate=96;__proto__=x;constructor=y' })
    await until('two mounts', () => last('b')?.bitrate_kbps === 96)

    const listeners = [owned.use(await openListener(url('/a'))), owned.use(await openListener(url('/a')))]
    await until('both listeners', () => last('a')?.count === 2)
    await here.bus.publish('streamStatus', [{ key: 'a', value: status('a', 1) }])
    await until('one of them to be our own', () => last('a')?.count === 1 && last('a')?.peak === 1)
    await listeners[0]![Symbol.asyncDispose]()
    await until('the listener to be gone', () => last('a')?.count === 0)
    expect(last('a')?.peak).toBe(1)

    await second[Symbol.asyncDispose]()
    await until('the second mount to be gone', () => last('b')?.bitrate_kbps === null)
    expect(last('b')).toMatchObject({ count: 0, uptime_s: 0 })
  }, 60_000)

  test('only changes are told, and a full picture now and then', async () => {
    owned.use(await server.start())
    owned.use(await server.source('/a'))
    let now = 1_000_000_000
    owned.use(await startMetrics(configOf(), here.context, { now: () => now }))
    await until('the first', () => here.told.length === 1)
    now += 60_000
    await until('the full picture', () => here.told.length === 2)
    expect(here.told.map(({ occurred_at }) => occurred_at)).toEqual([1_000_000_000, 1_000_060_000])
  }, 60_000)

  test('an Icecast that is not there is told of, and found again', async () => {
    owned.use(await startMetrics(configOf(), here.context))
    await until('the problem', () => here.problem()?.includes('gave no statistics'))
    owned.use(await server.start())
    owned.use(await server.source('/a'))
    await until('the mount', () => last('a') !== undefined)
    expect(here.problem()).toBeNull()
  }, 60_000)

  test('a wrong password is told as such', async () => {
    owned.use(await server.start())
    owned.use(await startMetrics(configOf({ ICECAST_PASSWORD: 'wrong' }), here.context))
    await until('the problem', () => here.problem()?.includes('ICECAST_PASSWORD'))
  }, 60_000)

  test('what happened while the bus was away is told when it is back', async () => {
    owned.use(await server.start())
    owned.use(await startMetrics(configOf(), here.context))
    await until('a good poll', isPolled)
    here.bus.outage(true)
    owned.use(await server.source('/a'))
    await until('the problem', () => typeof here.problem() === 'string')
    here.bus.outage(false)
    await until('the mount', () => last('a') !== undefined)
  }, 60_000)

  test('one poll on demand tells everything and returns it', async () => {
    owned.use(await server.start())
    owned.use(await server.source('/a'))
    owned.use(await server.source('/stranger'))
    // Icecast's statistics follow its sources by some 0.3 s.
    const pollForMounts = async () => {
      const { published } = await pollOnce(configOf(), here.context)
      return published.length > 0 && published
    }
    const published = await waitFor('a poll that shows the mount', pollForMounts, { timeoutMs: 5000 })
    expect(published).toMatchObject([{ channel_id: 'a', count: 0 }])
    await until('the same on the bus', () => here.told.length === 1)
    expect(here.told).toEqual(published)
  }, 60_000)
})
