import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { hears, openListener, type Listener } from '@skipcast/testing'
import type { FakeEngine } from './fake-engine.ts'
import { machine, statusOf, type Machine } from './role.ts'
import { say } from './say.ts'

/** Of the primary; its standby plays it too. */
const HZ = 440
const SOON = { timeoutMs: 8000 }

describe('a channel with a limit of listeners', () => {
  const owned = new AsyncDisposableStack()
  let here: Machine
  let role: AsyncDisposable
  let primary: FakeEngine
  let first: Listener
  let second: Listener

  beforeAll(async () => {
    here = owned.use(await machine())
    role = await here.start({ onStop: 'hand-over' })
    owned.defer(() => role[Symbol.asyncDispose]())
    await limit(2)
    await here.command('start_stream', 'c2', '/other')
    await here.untilFed('/demo')
    await here.untilFed('/other')
    primary = await here.engine({ frequencyHz: HZ })
    await here.engine({ mount: '/w/demo', epoch: 2, frequencyHz: HZ })
  }, 30_000)
  afterAll(() => owned.disposeAsync())

  const limit = (maxListeners?: number) =>
    here.command('start_stream', 'c1', '/demo', 1, { standbyEpoch: 2, ...(maxListeners !== undefined && { maxListeners }) })
  const listen = async () => owned.use(await openListener(here.url('/demo')))
  const comers = () => statusOf(here.url('/demo'))
  const stay = async (...listeners: Listener[]) => {
    for (const listener of listeners) await hears(listener, HZ, SOON)
    expect(listeners.flatMap(({ closures }) => closures)).toEqual([])
  }

  test('tells who comes to a full one to try again later, and nobody who comes elsewhere', async () => {
    first = await listen()
    second = await listen()
    await stay(first, second)
    const refused = await say(here.port, 'GET /demo HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(refused).toMatch(/^HTTP\/1\.1 503 [^]*retry-after: 10\r\n[^]*as many listeners as it may/i)
    const falsely = 'GET /demo HTTP/1.0\r\nAuthorization: Basic c291cmNlOmZhbHNl\r\n\r\n'
    expect(await say(here.port, falsely)).toMatch(/^HTTP\/1\.1 403 /)
    expect(await say(here.port, 'HEAD /demo HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 503 /)
    expect(await statusOf(here.url('/other'))).toBe(200)
  }, 30_000)

  test('counts those who are moved from mount to mount once', async () => {
    primary.die()
    await waitFor('the standby to have them', async () => (await audienceOf('/w/demo')) === 2, SOON)
    await stay(first, second)
    expect(await comers()).toBe(503)
    primary = await here.engine({ frequencyHz: HZ })
    await waitFor('the primary to have them', async () => (await audienceOf('/demo')) === 2, SOON)
    await stay(first, second)
    expect(await comers()).toBe(503)
  }, 40_000)

  test('lets the next one in when somebody has left, and nobody more', async () => {
    await second[Symbol.asyncDispose]()
    second = await listenOnceOpen()
    expect(await comers()).toBe(503)
    await stay(first, second)
  }, 30_000)

  test('holds for the next process of the role and of the front, and keeps who listens when it is changed', async () => {
    await role[Symbol.asyncDispose]()
    expect(await comers()).toBe(503)
    role = await here.start()
    expect(await comers()).toBe(503)
    await limit(3)
    await waitFor('another place', async () => (await comers()) === 200, SOON)
    await limit(1)
    await waitFor('no place', async () => (await comers()) === 503, SOON)
    await stay(first, second)
    process.kill(await here.pidOf('haproxy'), 'SIGKILL') // and with it go all who listen
    await waitFor('them to be gone', () => !first.isConnected && !second.isConnected, SOON)
    first = await listenOnceOpen()
    expect(await comers()).toBe(503)
    await limit()
    await waitFor('the end of the limit', async () => (await comers()) === 200, SOON)
  }, 40_000)

  /** Who left a moment ago may be counted still, and a new front may not listen yet. */
  async function listenOnceOpen(): Promise<Listener> {
    return waitFor(
      'a place',
      async () => {
        const comer = await openListener(here.url('/demo'))
        if (comer.answer.status === 200) return owned.use(comer)
        await comer[Symbol.asyncDispose]()
        return null
      },
      SOON,
    )
  }

  async function audienceOf(mount: string): Promise<number> {
    const { body } = await here.admin(`listclients?mount=${mount}`)
    return [...body.matchAll(/<useragent>(?!skipcast-monitor)/gi)].length
  }
})
