import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { hears, openListener } from '@skipcast/testing'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import { fakeEngine, toneFrames, type FakeEngine, type Frames } from './fake-engine.ts'
import { machine, type Machine } from './role.ts'

const CHANNELS = 40

describe('silence beside a channel', () => {
  const owned = new AsyncDisposableStack()
  let here: Machine
  let frames: Frames

  beforeAll(async () => {
    here = owned.use(await machine())
    owned.use(await here.start({ guardForMs: 1500, emptyForMs: 700 }))
    frames = await toneFrames(join(here.home, 'tone.mp3'), 440)
    for (let i = 0; i < CHANNELS; i++) await here.command('start_stream', `c${i}`, `/c${i}`)
  }, 30_000)
  afterAll(() => owned.disposeAsync())

  const mounts = async () =>
    [...(await here.admin('listmounts')).body.matchAll(/<source mount="(.*?)"/g)].map((match) => match[1]!)
  const waiting = async () => (await mounts()).filter((mount) => mount.startsWith('/w/'))
  const untilWaiting = (expected: string[]) =>
    waitFor(
      `the silent mounts to be ${expected.join(' ') || 'none'}`,
      async () => JSON.stringify(await waiting()) === JSON.stringify(expected),
      { timeoutMs: 15_000 },
    )
  const engine = async (mount: string): Promise<FakeEngine> => {
    const made = owned.use(await fakeEngine({ port: here.port, mount, password: here.token(mount.slice(1), mount, 1), frames }))
    expect(made.status).toBe(200)
    return made
  }

  test('there are none for channels that nobody hears', async () => {
    await waitFor('all channels', async () => (await mounts()).length >= CHANNELS, { timeoutMs: 15_000 })
    expect(await waiting()).toEqual([])
  }, 30_000)

  test('our own monitors need none', async () => {
    await engine('/c0')
    const monitor = owned.use(await monitorOf(here.port, '/c0'))
    const passer = await openListener(here.url('/c1'))
    await untilWaiting(['/w/c1']) // so passes go by, and /w/c0 is not among what they make
    await passer[Symbol.asyncDispose]()
    await untilWaiting([])
    expect(monitor.socket.closed).toBe(false)
  }, 30_000)

  test('who hears a channel has one for as long as they stay, and does not lose the connection when the engine dies', async () => {
    const first = await engine('/c2')
    owned.use(await monitorOf(here.port, '/c2'))
    const listener = owned.use(await openListener(here.url('/c2')))
    await hears(listener, 440, { timeoutMs: 5000 })
    const passer = await openListener(here.url('/c3'))
    await untilWaiting(['/w/c2', '/w/c3'])
    await passer[Symbol.asyncDispose]()
    await untilWaiting(['/w/c2']) // who left c3 is missed by nobody; who stays is found again, beside our monitor
    first.die()
    await waitFor('silence', () => listener.framesSince(performance.now() - 200).every((frame) => frame.silent), {
      timeoutMs: 5000,
    })
    await engine('/c2')
    await hears(listener, 440, { timeoutMs: 5000 })
    expect(listener.closures).toEqual([])
    await listener[Symbol.asyncDispose]()
    await untilWaiting([])
  }, 60_000)
})

/** Listens as our own monitors do. */
async function monitorOf(port: number, mount: string): Promise<{ socket: Socket } & Disposable> {
  const socket = createConnection(port, '127.0.0.1')
  socket.write(`GET ${mount} HTTP/1.0\r\nUser-Agent: skipcast-monitor/1\r\n\r\n`)
  socket.on('error', () => {}).resume()
  await waitFor('the monitor to hear something', () => socket.bytesRead > 3000, { timeoutMs: 5000 })
  return { socket, [Symbol.dispose]: () => void socket.destroy() }
}
