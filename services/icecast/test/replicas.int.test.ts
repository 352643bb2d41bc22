import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { PLAYER_RESERVE_MS, hears, openListener, summarise, type Listener } from '@skipcast/testing'
import { createConnection, type Socket } from 'node:net'
import type { FakeEngine } from './fake-engine.ts'
import { newcomers } from './newcomers.ts'
import { machine, type Machine } from './role.ts'
import { say } from './say.ts'

const PRIMARY_HZ = 440
const STANDBY_HZ = 660
/** The tone is a file played over and over, which begins with a frame or two of silence. */
const LOOP_SILENT_MS = 200

/** Two replicas of one channel. Prints what listeners go through when one of them is lost. */
describe('a channel with a standby', () => {
  const owned = new AsyncDisposableStack()
  const old: Listener[] = []
  let here: Machine
  let primary: FakeEngine
  let standby: FakeEngine

  const playPrimary = async () => {
    primary = await here.engine({ epoch: 1, frequencyHz: PRIMARY_HZ })
    expect(primary.status).toBe(200)
  }
  const playStandby = async () => {
    standby = await here.engine({ mount: '/w/demo', epoch: 2, frequencyHz: STANDBY_HZ })
    expect(standby.status).toBe(200)
  }
  const allHear = async (frequencyHz: number) => {
    for (const listener of old) await hears(listener, frequencyHz, { timeoutMs: 8000 })
  }

  beforeAll(async () => {
    here = owned.use(await machine())
    owned.use(await here.start())
    await here.command('start_stream', 'c1', '/demo', 1, { standbyEpoch: 2 })
    await here.untilFed('/demo')
    for (const each of [PRIMARY_HZ, STANDBY_HZ]) await here.tone(each)
    await playPrimary()
    for (let i = 0; i < 5; i++) old.push(owned.use(await openListener(here.url('/demo'))))
    await allHear(PRIMARY_HZ)
    await playStandby()
  }, 30_000)
  afterAll(() => owned.disposeAsync())

  /** How much silence the one who heard most of it was sent since `mark`. */
  const silentMs = (mark: number) =>
    Math.max(
      ...old.map((listener) => {
        const frames = listener.framesSince(mark).filter(({ silent }) => silent)
        return frames.reduce((sum, { durationMs }) => sum + durationMs, 0)
      }),
    )

  async function lose(how: 'reset' | 'die' | 'hang') {
    const mark = performance.now()
    const comers = newcomers(here.url('/demo'))
    primary[how]()
    await allHear(STANDBY_HZ)
    await using late = await openListener(here.url('/demo'))
    await hears(late, STANDBY_HZ, { timeoutMs: 5000 })
    const answers = await comers()
    const gap = summarise(old.map((listener) => listener.gapSince(mark)))
    process.stderr.write(
      `primary lost (${how}): gap ${gap.text}; silence ${silentMs(mark).toFixed(0)} ms; new listeners ${JSON.stringify(answers)}\n`,
    )
    expect(silentMs(mark)).toBeLessThan(LOOP_SILENT_MS)
    expect(gap.max).toBeLessThan(PLAYER_RESERVE_MS)
    return answers
  }

  test.each(['reset', 'die', 'hang'] as const)(
    'goes on with it when the primary’s connection ends or hangs (%s), and with the primary when that is back',
    async (how) => {
      expect(Object.keys(await lose(how))).toEqual(['200'])
      const mark = performance.now()
      await playPrimary()
      await allHear(PRIMARY_HZ)
      const gap = summarise(old.map((listener) => listener.gapSince(mark)))
      process.stderr.write(`primary back: gap ${gap.text}\n`)
      expect(standby.isConnected).toBe(true)
      expect(old.flatMap(({ closures }) => closures)).toEqual([])
    },
    60_000,
  )

  test('monitors hear the mount that they ask for, and are put back on it when all were handed on', async () => {
    const [first, second] = await Promise.all(
      [1, 2].map(async (epoch) => {
        const mount = epoch === 1 ? '/demo' : '/w/demo'
        return owned.use(await monitorOf(here.port, mount, here.token('c1', mount, epoch)))
      }),
    )
    const places = async () => {
      const shown = await Promise.all(
        ['/demo', '/w/demo'].map(async (mount) => (await here.admin(`listclients?mount=${mount}`)).body),
      )
      return shown.map((body) => [...body.matchAll(/skipcast-monitor (\/[a-z/]*)/g)].map((match) => match[1]))
    }
    expect(await places()).toEqual([expect.arrayContaining(['/demo']), expect.arrayContaining(['/w/demo'])])
    primary.die()
    await waitFor('the primary’s monitor to be let go', () => first!.isClosed(), { timeoutMs: 8000 })
    expect(second!.isClosed()).toBe(false)
    await playPrimary()
    await waitFor('the standby’s monitor to be let go', () => second!.isClosed(), { timeoutMs: 8000 })
    const again = owned.use(await monitorOf(here.port, '/w/demo', here.token('c1', '/w/demo', 2)))
    expect((await places())[1]).not.toContain('/demo')
    again[Symbol.dispose]()
  }, 60_000)

  test('its second mount is open to nobody without a genuine token', async () => {
    for (const token of ['', here.token('c1', '/demo', 2), `${here.token('c1', '/w/demo', 2)}x`]) {
      const login = token && `Authorization: Basic ${btoa(`source:${token}`)}\r\n`
      const answer = await say(here.port, `GET /w/demo HTTP/1.0\r\n${login}\r\n`)
      expect(answer).toMatch(/^HTTP\/1\.1 404 /)
    }
  }, 30_000)

  test('loses its standby, and nobody notices', async () => {
    await allHear(PRIMARY_HZ)
    const mark = performance.now()
    standby.die()
    const isSilent = async () => (await here.admin('listmounts')).body.includes('"/w/demo"')
    await waitFor('silence in its place', isSilent, { timeoutMs: 5000 })
    await playStandby()
    await allHear(PRIMARY_HZ)
    const gap = summarise(old.map((listener) => listener.gapSince(mark)))
    process.stderr.write(`standby lost: gap ${gap.text}\n`)
    expect(silentMs(mark)).toBeLessThan(LOOP_SILENT_MS)
    expect(old.flatMap(({ closures }) => closures)).toEqual([])
  }, 60_000)
})

/** Listens to just this mount, as our own monitors do, and has heard something. */
async function monitorOf(port: number, mount: string, token: string): Promise<{ isClosed: () => boolean } & Disposable> {
  const socket: Socket = createConnection(port, '127.0.0.1')
  const login = token && `Authorization: Basic ${btoa(`source:${token}`)}\r\n`
  socket.write(`GET ${mount} HTTP/1.0\r\nUser-Agent: skipcast-monitor/1\r\n${login}\r\n`)
  socket.on('error', () => {}).resume()
  await waitFor('the monitor to hear something', () => socket.bytesRead > 3000, { timeoutMs: 3000 })
  return { isClosed: () => socket.closed, [Symbol.dispose]: () => void socket.destroy() }
}
