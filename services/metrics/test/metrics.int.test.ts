import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { memoryBus, type MemoryBus, type ServiceContext } from '@skipcast/bus'
import { stamp, type ListenerMetric, type StreamCommand, type StreamStatus } from '@skipcast/contracts'
import { healthBoard, meters, readConfig, silentLogger, waitFor } from '@skipcast/runtime'
import { openListener, temporaryHome } from '@skipcast/testing'
import { metricsEnv, pollOnce, startMetrics } from '../src/metrics.ts'
import { icecast, PASSWORD, type Icecast } from './icecast.ts'

const origin = { application: 'skipcast', environment: 'test' }

describe('listener metrics of a real Icecast', () => {
  let owned: AsyncDisposableStack
  let bus: MemoryBus
  let server: Icecast
  let context: ServiceContext
  const told: ListenerMetric[] = []

  beforeEach(async () => {
    owned = new AsyncDisposableStack()
    told.length = 0
    const home = owned.use(await temporaryHome())
    bus = owned.use(memoryBus())
    server = await icecast(home)
    context = {
      bus,
      home,
      logger: silentLogger(),
      health: healthBoard(),
      meters: meters(),
      serverId: 'here',
      origin,
      onStop: 'stop',
    }
    owned.use(bus.consume({ topic: 'listenerMetrics', group: 'test', handle: async (message) => void told.push(message) }))
    for (const slug of ['a', 'b']) await bus.publish('streamCommands', [{ key: slug, value: stopped(slug) }])
  })
  afterEach(() => owned.disposeAsync())

  const configOf = (more: Record<string, string> = {}) => {
    const given = { ICECAST_PORT: String(server.port), ICECAST_PASSWORD: PASSWORD, METRICS_INTERVAL_MS: '100', ...more }
    return readConfig({ metrics: metricsEnv }, given).metrics
  }
  const last = (channelId: string) => told.findLast(({ channel_id }) => channel_id === channelId)
  const until = (what: string, condition: () => boolean | undefined) => waitFor(what, condition, { timeoutMs: 8000 })
  const url = (mount: string) => `http://127.0.0.1:${server.port}${mount}`

  test('no mount, one, two, and one again; listeners come and go; monitors do not count', async () => {
    owned.use(await server.start())
    owned.use(await startMetrics(configOf(), context))
    await until('a good poll', () => context.health.read()['listener metrics']?.ok)
    expect(told).toEqual([])

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
    await bus.publish('streamStatus', [{ key: 'a', value: status('a', 1) }])
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
    owned.use(await startMetrics(configOf(), context, { now: () => now }))
    await until('the first', () => told.length === 1)
    now += 60_000
    await until('the full picture', () => told.length === 2)
    expect(told.map(({ occurred_at }) => occurred_at)).toEqual([1_000_000_000, 1_000_060_000])
  }, 60_000)

  test('an Icecast that is not there is told of, and found again', async () => {
    owned.use(await startMetrics(configOf(), context))
    const problem = () => context.health.read()['listener metrics']?.problem
    await until('the problem', () => problem()?.includes('gave no statistics'))
    owned.use(await server.start())
    owned.use(await server.source('/a'))
    await until('the mount', () => last('a') !== undefined)
    expect(problem()).toBeNull()
  }, 60_000)

  test('a wrong password is told as such', async () => {
    owned.use(await server.start())
    owned.use(await startMetrics(configOf({ ICECAST_PASSWORD: 'wrong' }), context))
    await until('the problem', () => context.health.read()['listener metrics']?.problem?.includes('ICECAST_PASSWORD'))
  }, 60_000)

  test('what happened while the bus was away is told when it is back', async () => {
    owned.use(await server.start())
    owned.use(await startMetrics(configOf(), context))
    await until('a good poll', () => context.health.read()['listener metrics']?.ok)
    bus.outage(true)
    owned.use(await server.source('/a'))
    await until('the problem', () => context.health.read()['listener metrics']?.ok === false)
    bus.outage(false)
    await until('the mount', () => last('a') !== undefined)
  }, 60_000)

  test('one poll on demand tells everything and returns it', async () => {
    owned.use(await server.start())
    owned.use(await server.source('/a'))
    owned.use(await server.source('/stranger'))
    // Icecast's statistics follow its sources by some 0.3 s.
    const pollForMounts = async () => {
      const found = await pollOnce(configOf(), context)
      return found.length > 0 && found
    }
    const published = await waitFor('a poll that shows the mount', pollForMounts, { timeoutMs: 5000 })
    expect(published).toMatchObject([{ channel_id: 'a', count: 0 }])
    await until('the same on the bus', () => told.length === 1)
    expect(told).toEqual(published)
  }, 60_000)
})

const about = (slug: string) => ({ ...stamp(origin, 1, slug), channel_id: slug, channel_slug: slug, mount: `/${slug}` })

/** Whether the channel is on or off makes no difference here: the mount is there or not. */
function stopped(slug: string): StreamCommand {
  return { ...about(slug), event: 'stop_stream', generation: 1, epoch: 1, server_id: 'here' }
}

function status(slug: string, monitors: number): StreamStatus {
  const state = {
    phase: 'on_air',
    server_id: 'here',
    generation: 1,
    epoch: 1,
    since: 1,
    now_playing: null,
    last_error: null,
  } as const
  return { ...about(slug), event: 'stream_status_update', ...state, monitors }
}
