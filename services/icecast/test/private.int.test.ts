import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { hears, openListener, type Listener } from '@skipcast/testing'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { FakeEngine } from './fake-engine.ts'
import { machine, statusOf, type Machine } from './role.ts'
import { say } from './say.ts'

/** Of the primary; its standby plays it too. */
const HZ = 440
const SOON = { timeoutMs: 8000 }

describe('a private channel', () => {
  const owned = new AsyncDisposableStack()
  let here: Machine
  let now = Date.now()
  let primary: FakeEngine
  let invited: Listener
  let stranger: Listener
  let publicly: Listener

  beforeAll(async () => {
    here = owned.use(await machine())
    owned.use(await here.start({ now: () => now, passEveryMs: 300 }))
    await here.command('start_stream', 'c1', '/demo', 1, { standbyEpoch: 2 })
    await here.command('start_stream', 'c2', '/other', 1)
    await here.untilFed('/demo')
    await here.untilFed('/other')
    primary = await here.engine({ frequencyHz: HZ })
    await here.engine({ mount: '/w/demo', epoch: 2, frequencyHz: HZ })
  }, 30_000)
  afterAll(() => owned.disposeAsync())

  const inAnHour = () => Math.floor(now / 1000) + 3600
  const listen = async (url: string) => owned.use(await openListener(url))
  const makePrivate = () => here.command('start_stream', 'c1', '/demo', 1, { standbyEpoch: 2, listeners: 'signed' })

  test('lets those go who hear it without a link when it becomes private, and nobody else', async () => {
    stranger = await listen(here.url('/demo'))
    invited = await listen(here.link('c1', '/demo', inAnHour()))
    publicly = await listen(here.url('/other'))
    for (const listener of [stranger, invited]) await hears(listener, HZ, SOON)
    await makePrivate()
    await waitFor('the stranger to be let go', () => !stranger.isConnected, SOON)
    await hears(invited, HZ, SOON)
    expect([invited.closures, publicly.closures]).toEqual([[], []])
  }, 30_000)

  test('is heard with a genuine link for it alone', async () => {
    const genuine = here.link('c1', '/demo', inAnHour())
    const token = genuine.split('token=')[1]!
    const [id, expiry, mac] = token.split('~') as [string, string, string]
    for (const url of [
      here.url('/demo'),
      `${here.url('/demo')}?token=`,
      `${here.url('/demo')}?token=${token.slice(0, -1)}`,
      `${here.url('/demo')}?token=${id}~${Number(expiry) + 1}~${mac}`,
      `${here.url('/demo')}?token=c1~9999999999~`,
      `${here.url('/demo')}?token=${here.token('c1', '/demo', 1)}`,
      here.link('c2', '/demo', inAnHour()),
      here.link('c1', '/demo', Math.floor(now / 1000)),
      here.link('c1', '/w/demo', inAnHour()),
    ])
      expect([url, await statusOf(url)]).toEqual([url, 404])
    expect(await statusOf(genuine)).toBe(200)
    expect(await statusOf(genuine.replaceAll('~', '%7E'))).toBe(200)
    expect(await statusOf(`${genuine}&x=1`)).toBe(200)
  }, 30_000)

  test('is not opened by a name that only the front gives', async () => {
    for (const name of ['skipcast-monitor', 'skipcast-monitor/1', 'skipcast-monitor /demo', `skipcast-guest c1 ${inAnHour()}`]) {
      for (const spelled of [name, ` ${name}`, name.toUpperCase()])
        expect(await say(here.port, `GET /demo HTTP/1.0\r\nUser-Agent: ${spelled}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 404 /)
      const two = `GET /demo HTTP/1.0\r\nUser-Agent: x\r\nUser-Agent: ${name}\r\n\r\n`
      expect(await say(here.port, two)).toMatch(/^HTTP\/1\.1 (404|400) /)
    }
  }, 30_000)

  test('keeps who has a link when its primary dies and comes back', async () => {
    const late = await listen(here.link('c1', '/demo', inAnHour()))
    await hears(late, HZ, SOON)
    primary.die()
    await waitFor('the standby to have them', async () => (await listenersOf('/w/demo')) >= 2, SOON)
    for (const listener of [invited, late]) await hears(listener, HZ, SOON)
    expect(await statusOf(here.link('c1', '/demo', inAnHour()))).toBe(200)
    expect(await statusOf(here.url('/demo'))).toBe(404)
    primary = await here.engine({ frequencyHz: HZ })
    await waitFor('the primary to have them', async () => (await listenersOf('/demo')) >= 2, SOON)
    for (const listener of [invited, late]) {
      await hears(listener, HZ, SOON)
      expect(listener.closures).toEqual([])
    }
  }, 40_000)

  test('lets go whose link has expired', async () => {
    const shortly = await listen(here.link('c1', '/demo', Math.floor(now / 1000) + 60))
    await hears(shortly, HZ, SOON)
    now += 61_000
    await here.command('start_stream', 'c1', '/demo', 1, { standbyEpoch: 2 }) // the next look is at once when it becomes private again
    await makePrivate()
    await waitFor('it to be let go', () => !shortly.isConnected, SOON)
    await hears(invited, HZ, SOON)
    expect(invited.closures).toEqual([])
  }, 30_000)

  test('is open to everybody once it is public again', async () => {
    await here.command('start_stream', 'c1', '/demo', 1, { standbyEpoch: 2 })
    await waitFor('the door to be open', async () => (await statusOf(here.url('/demo'))) === 200, SOON)
    expect(invited.closures).toEqual([])
  }, 30_000)

  test('keeps its places for who has a link, and tells nobody else that it is full, or that it is there', async () => {
    const change = (maxListeners?: number) =>
      here.command('start_stream', 'c2', '/other', 1, {
        listeners: 'signed',
        ...(maxListeners !== undefined && { maxListeners }),
      })
    const link = () => here.link('c2', '/other', inAnHour())
    await change()
    await waitFor('the front to know', async () => (await limits()).includes('/other~c2 '), SOON)
    const guest = await listen(link())
    await change(1)
    await waitFor('it to be full', async () => (await statusOf(link())) === 503, SOON)
    const falsely = 'Authorization: Basic c291cmNlOmZhbHNl\r\n'
    for (const request of ['GET /other', 'GET /other?token=c2~9999999999~', 'HEAD /other'])
      for (const head of ['', falsely])
        expect(await say(here.port, `${request} HTTP/1.0\r\n${head}\r\n`)).toMatch(/^HTTP\/1\.1 404 /)
    expect(guest.closures).toEqual([])
    await guest[Symbol.asyncDispose]()
    const strangers = Promise.all(Array.from({ length: 20 }, () => statusOf(here.url('/other'))))
    await waitFor('a place', async () => (await statusOf(link())) === 200, SOON)
    expect(new Set(await strangers)).toEqual(new Set([404]))
  }, 30_000)

  test('leaves no token in any log of Icecast or the front', async () => {
    const tokens = /c1~\d+~[A-Za-z0-9_-]{22}/
    for (const directory of ['icecast2', 'haproxy']) {
      const path = join(here.home, 'icecast', directory)
      for (const name of await readdir(path))
        if (name.endsWith('.log')) expect(await readFile(join(path, name), 'utf8')).not.toMatch(tokens)
    }
  })

  async function limits(): Promise<string> {
    return readFile(join(here.home, 'icecast', 'haproxy', 'limits.map'), 'utf8')
  }

  async function listenersOf(mount: string): Promise<number> {
    const { body } = await here.admin(`listclients?mount=${mount}`)
    return [...body.matchAll(/skipcast-guest c1 /g)].length
  }
})
