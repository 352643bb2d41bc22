import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { hears, openListener } from '@skipcast/testing'
import { createConnection } from 'node:net'
import { machine, statusOf, type Machine } from './role.ts'

describe('channels come, go and change', () => {
  const owned = new AsyncDisposableStack()
  let here: Machine

  beforeAll(async () => {
    here = owned.use(await machine())
    owned.use(await here.start())
  }, 30_000)
  afterAll(() => owned.disposeAsync())

  const engine = (epoch: number) => here.engine({ channelId: 'a', mount: '/a', epoch })
  const gone = (mount: string) =>
    waitFor(`${mount} to be gone`, async () => (await statusOf(here.url(mount))) === 404, { timeoutMs: 8000 })

  test('a stopped channel lets its engine and its listeners go, and refuses that engine from then on', async () => {
    await here.command('start_stream', 'a', '/a', 3)
    await here.untilFed('/a')
    const source = await engine(3)
    await using listener = await openListener(here.url('/a'))
    await hears(listener, 440, { timeoutMs: 5000 })

    await here.command('stop_stream', 'a', '/a', 3)
    await waitFor('both to be let go', () => !source.isConnected && !listener.isConnected, { timeoutMs: 5000 })
    await gone('/a')
    expect((await engine(3)).status).toBe(401)
  }, 30_000)

  test('started again under a new epoch, its engine may come before this role has read the start', async () => {
    expect((await engine(4)).status).toBe(200)
    await here.command('start_stream', 'a', '/a', 4)
    await using listener = await openListener(here.url('/a'))
    await hears(listener, 440, { timeoutMs: 5000 })
  }, 30_000)

  test('a removed channel is let go', async () => {
    await here.command('start_stream', 'b', '/b')
    await here.untilFed('/b')
    await here.remove('b')
    await gone('/b')
  }, 30_000)

  test('a renamed channel is on its new mount, and its old one ends', async () => {
    await here.command('start_stream', 'c', '/old-name')
    await here.untilFed('/old-name')
    await here.command('start_stream', 'c', '/new-name')
    await here.untilFed('/new-name')
    await gone('/old-name')
  }, 30_000)

  const sessionsOf = (channelId: string) => here.sessions.filter((session) => session.channel_id === channelId)
  const listenOnce = async (mount: string) => {
    await using listener = await openListener(here.url(mount))
    return listener.answer.status
  }

  test('a listener session is told of at its end, and our own monitors are none', async () => {
    await here.command('start_stream', 'd', '/d')
    await here.untilFed('/d')
    await waitFor('the session of that', () => sessionsOf('d').length === 1, { timeoutMs: 5000 })
    await monitorOnce(here.port, '/d')
    expect(await listenOnce('/d?x=1')).toBe(200)
    await waitFor('the next session', () => sessionsOf('d').length > 1, { timeoutMs: 5000 })
    expect(sessionsOf('d').slice(1)).toEqual([
      expect.objectContaining({ event: 'listener_session', channel_slug: 'd', duration_s: expect.any(Number) }),
    ])
    expect(new Set(here.sessions.map(({ id }) => id)).size).toBe(here.sessions.length)
    expect(JSON.stringify(here.sessions)).not.toMatch(/127\.0\.0\.1|skipcast-test-listener/)
  }, 30_000)
})

/** Listens as our own monitors do, until some audio came. */
function monitorOnce(port: number, mount: string): Promise<void> {
  return new Promise((done, fail) => {
    const socket = createConnection(port, '127.0.0.1')
    socket.write(`GET ${mount} HTTP/1.0\r\nUser-Agent: skipcast-monitor/1\r\n\r\n`)
    let size = 0
    socket.on('data', (bytes) => {
      size += bytes.length
      if (size > 3000) socket.destroy()
    })
    socket.once('error', fail)
    socket.once('close', () => done())
  })
}
