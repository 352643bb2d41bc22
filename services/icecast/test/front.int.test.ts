import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { messageOf, waitFor } from '@skipcast/runtime'
import { PLAYER_RESERVE_MS, hears, openListener, summarise } from '@skipcast/testing'
import { byStatus, crowd } from './crowd.ts'
import { machine, type Machine } from './role.ts'
import { say } from './say.ts'

describe('the front', () => {
  const owned = new AsyncDisposableStack()
  let here: Machine

  beforeAll(async () => {
    here = owned.use(await machine())
    owned.use(await here.start())
    await here.command('start_stream', 'c1', '/demo')
    await here.untilFed('/demo')
  }, 30_000)
  afterAll(() => owned.disposeAsync())

  test.each([
    { size: 300, spreadMs: 0 },
    { size: 300, spreadMs: 1000 },
  ])(
    'lets all $size in who come within $spreadMs ms',
    async ({ size, spreadMs }) => {
      await using listener = await openListener(here.url('/demo'))
      const mark = performance.now()
      const guests = await crowd(here.port, '/demo', { size, spreadMs })
      const times = summarise(guests.map((guest) => guest.firstByteMs))
      process.stderr.write(`${size} within ${spreadMs} ms: ${JSON.stringify(byStatus(guests))}, first byte after ${times.text}\n`)
      expect(byStatus(guests)).toEqual({ 200: size })
      expect(times.p99).toBeLessThan(8000)
      expect(listener.gapSince(mark)).toBeLessThan(PLAYER_RESERVE_MS)
      const heard = async () => /<Listeners>1</.test((await here.admin('listclients?mount=/demo')).body)
      await waitFor('the crowd to be gone', heard, { timeoutMs: 10_000 })
    },
    60_000,
  )

  test('turns nobody away who comes while engines die', async () => {
    await using listener = await openListener(here.url('/demo'))
    const gaps: number[] = []
    const comers: Promise<{ status: number }[]>[] = []
    using timers = new DisposableStack()
    const timer = setInterval(() => comers.push(crowd(here.port, '/demo', { size: 1, spreadMs: 0 })), 50)
    timers.defer(() => clearInterval(timer))
    for (let death = 0; death < 10; death++) {
      const playing = await here.engine()
      expect(playing.status).toBe(200)
      await hears(listener, 440, { timeoutMs: 8000 }).catch(async (cause: unknown) => {
        const mounts = (await here.admin('listmounts')).body
        const what = JSON.stringify({ engine: playing.isConnected, closures: listener.closures, ...listener.heard })
        throw new Error(`death ${death}: ${messageOf(cause)}; ${what}; Icecast has ${mounts}`, { cause })
      })
      const mark = performance.now()
      playing.die()
      const silence = () => listener.framesSince(performance.now() - 200).every((frame) => frame.silent)
      await waitFor('silence', () => performance.now() - mark > 500 && silence(), { timeoutMs: 8000 })
      gaps.push(listener.gapSince(mark))
    }
    timers.dispose()
    const counts = byStatus((await Promise.all(comers)).flat())
    process.stderr.write(`10 engines died: gap ${summarise(gaps).text}; who came meanwhile ${JSON.stringify(counts)}\n`)
    expect(Object.keys(counts)).toEqual(['200'])
    expect(listener.closures).toEqual([])
  }, 90_000)

  test('answers who listens nowhere, at once and in short', async () => {
    const head = (text: string) => say(here.port, text).then((answer) => answer.split('\r\n')[0])
    for (const [request, status] of [
      ['GET /nobody HTTP/1.1\r\nHost: x\r\n\r\n', '404 Not Found'],
      ['GET /w/demo HTTP/1.0\r\n\r\n', '404 Not Found'],
      ['GET /%64emo HTTP/1.0\r\n\r\n', '404 Not Found'],
      ['GET http://x/demo HTTP/1.1\r\nHost: x\r\n\r\n', '404 Not Found'],
      ['POST /demo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n', '405 Method Not Allowed'],
      ['SOURCE /w/w/demo HTTP/1.0\r\n\r\n', '405 Method Not Allowed'],
      ['CONNECT demo:443 HTTP/1.1\r\nHost: demo:443\r\n\r\n', '405 Method Not Allowed'],
      [`GET /demo?${'x'.repeat(1000)} HTTP/1.0\r\n\r\n`, '414 Request-URI Too Long'],
      ['GET /demo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', '400 Bad Request'],
    ] as const)
      expect(await head(request)).toBe(`HTTP/1.1 ${status}`)
    for (const noHttp of ['\r\n\r\n', '\0\0\0\0', 'USER anonymous\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'])
      expect(await say(here.port, noHttp, { timeoutMs: 300 })).not.toMatch(/^HTTP\/1\.. 200/)
  })

  test('speaks with players of every age, with HEAD, and with pages of other origins', async () => {
    const opening = { enoughBytes: 6000 }
    const old = await say(here.port, 'GET /demo HTTP/1.0\r\nIcy-MetaData: 1\r\n\r\n', opening)
    expect(old).toMatch(/^HTTP\/1\.0 200 OK\r\n[^]*\r\nContent-Type: audio\/mpeg\r\n[^]*icy-metaint: ?16000\r\n/)
    const browser = await say(here.port, 'GET /demo HTTP/1.1\r\nHost: x\r\nRange: bytes=0-\r\n\r\n', opening)
    expect(browser).toMatch(/^HTTP\/1\.[01] 200 OK\r\n[^]*Access-Control-Allow-Origin: \*/)
    expect(browser).not.toMatch(/chunked|icy-metaint/i)
    expect(await say(here.port, 'HEAD /demo HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 200 OK\r\n[^]*Content-Type: audio\/mpeg\r\n[^]*\r\n\r\n$/,
    )
    expect(await say(here.port, 'HEAD /nobody HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1\.1 404/)
    expect(await say(here.port, 'OPTIONS /demo HTTP/1.1\r\nHost: x\r\nOrigin: http://y\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 204 [^]*Allow-Origin: \*/,
    )
  })

  test('tells sessions apart by where they come from, whatever they say about it, and tells nobody where that is', async () => {
    await here.command('start_stream', 'c2', '/quiet')
    await here.untilFed('/quiet')
    const sessionsHere = () => here.sessions.filter((session) => session.channel_slug === 'quiet')
    const listen = async (more: string) => {
      const before = sessionsHere().length
      await say(here.port, `GET /quiet HTTP/1.0\r\nUser-Agent: player\r\n${more}\r\n`, { enoughBytes: 3000 })
      await waitFor('the session', () => sessionsHere().length > before, { timeoutMs: 5000 })
      return sessionsHere().at(-1)!.listener
    }
    await waitFor('the session of that', () => sessionsHere().length > 0, { timeoutMs: 5000 })
    const honest = await listen('')
    expect(honest).toMatch(/^[A-Za-z0-9_-]{22}$/)
    expect(await listen('X-Forwarded-For: 192.0.2.66\r\n')).toBe(honest)
    expect(await listen('X-Forwarded-For: 192.0.2.66\r\nX-Forwarded-For: 192.0.2.67\r\nForwarded: for=192.0.2.66\r\n')).toBe(
      honest,
    )
    expect(JSON.stringify(here.sessions)).not.toMatch(/127\.0\.0|192\.0|player/)
  }, 30_000)
})
