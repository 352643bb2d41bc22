import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { httpGet, waitFor } from '@skipcast/runtime'
import { openListener } from '@skipcast/testing'
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { fakeEngine, toneFrames, type FakeEngine, type Frames } from './fake-engine.ts'
import { machine, PASSWORD, statusOf, type Machine } from './role.ts'
import { say } from './say.ts'

describe('who is let in', () => {
  const owned = new AsyncDisposableStack()
  let here: Machine
  let frames: Frames
  let live: FakeEngine

  beforeAll(async () => {
    here = owned.use(await machine())
    owned.use(await here.start())
    frames = await toneFrames(join(here.home, 'tone.mp3'), 440)
    await here.command('start_stream', 'c1', '/demo', 7)
    await here.untilFed('/demo')
    live = await engine({ password: here.token('c1', '/demo', 7) })
    expect(live.status).toBe(200)
  }, 30_000)
  afterAll(() => owned.disposeAsync())

  const engine = async (options: { mount?: string; password: string; user?: string; method?: 'SOURCE' | 'PUT' }) =>
    owned.use(await fakeEngine({ port: here.port, mount: '/demo', frames, ...options }))
  const sources = async () =>
    [...(await here.admin('listmounts')).body.matchAll(/<source mount="(.*?)"/g)].map((match) => match[1])

  test('A4: a source with a forged, cut or foreign token is refused', async () => {
    const genuine = here.token('c1', '/demo', 8)
    const forged = `${genuine.slice(0, -1)}${genuine.endsWith('A') ? 'B' : 'A'}`
    for (const password of [
      '',
      'hackme',
      genuine.slice(0, -1),
      forged,
      here.token('c1', '/other', 8),
      genuine.replace('~8~', '~9~'),
    ])
      expect((await engine({ password })).status).toBe(401)
    expect((await engine({ password: genuine, user: 'admin' })).status).toBe(401)
    expect(live.isConnected).toBe(true)
  }, 30_000)

  test('a channel can not take the mount of another, though its token for it is genuine', async () => {
    expect((await engine({ password: here.token('former-owner', '/demo', 9) })).status).toBe(401)
    expect(live.isConnected).toBe(true)
  })

  test('a token for one mount of a channel is none for its other', async () => {
    for (const password of [here.token('c1', '/demo', 7), here.token('c9', '/w/demo', 9)])
      expect((await engine({ mount: '/w/demo', password })).status).toBe(401)
    expect((await engine({ password: here.token('c1', '/w/demo', 9) })).status).toBe(401)
    expect(live.isConnected).toBe(true)
  })

  test.each(['/x/y', '/demo/', '/Demo', '/demo.mp3', '/..%2fdemo', '/w/w/demo', `/${'a'.repeat(200)}`])(
    'I7: no source on %s, whatever token it has',
    async (mount) => {
      const { status } = await engine({ mount, password: here.token('c9', decodeURIComponent(mount), 1) })
      expect(status).toBe(405)
    },
  )

  test('a source by PUT is authorised in the same way', async () => {
    expect((await engine({ mount: '/put', password: 'no', method: 'PUT' })).status).toBe(401)
    expect((await engine({ mount: '/put', password: here.token('c2', '/put', 1), method: 'PUT' })).status).toBe(200)
    expect(await sources()).toEqual(['/demo', '/put', '/w/demo'])
  })

  test('a source that nobody wants is ended soon', async () => {
    await waitFor('strangers to be gone', async () => (await sources()).length === 2, { timeoutMs: 8000 })
    expect(live.isConnected).toBe(true)
  }, 15_000)

  const asking = (port: number) => async (command: string, user: string, password: string) =>
    httpGet(new URL(`http://127.0.0.1:${port}/admin/${command}`), { user, password, timeoutMs: 5000, maxBytes: 100_000 })
  const title = 'metadata?mode=updinfo&song=hello&mount=/demo'

  test('A6: the front passes titles of sources and the statistics of role metrics, and knows no other admin command', async () => {
    const ask = asking(here.port)
    const token = here.token('c1', '/demo', 7)
    for (const command of [
      'killsource?mount=/demo',
      'moveclients?mount=/demo&destination=/w/demo',
      'killsource?mount=/free',
      'listmounts',
    ])
      for (const [user, password] of [
        ['', ''],
        ['source', token],
        ['admin', PASSWORD],
      ] as const)
        expect((await ask(command, user, password)).status).toBe(404)
    expect((await ask(title, 'source', here.token('c1', '/demo', 6))).status).toBe(401)
    expect((await ask(title, 'admin', PASSWORD)).status).toBe(404)
    expect((await ask(title, 'source', token)).status).toBe(200)

    expect((await ask('stats', 'admin', PASSWORD)).body).toContain('<source mount="/demo">')
    expect((await ask('stats', 'admin', 'wrong')).status).toBe(404)
    expect((await ask('stats?mount=/demo', 'admin', PASSWORD)).status).toBe(404)
    expect((await ask('stats', 'source', token)).status).toBe(404)
    expect(live.isConnected).toBe(true)
  }, 15_000)

  test('A6: no field of a head leads past the front to another admin command, nor a second login, even with the password', async () => {
    const login = (user: string, password: string) => `Authorization: Basic ${btoa(`${user}:${password}`)}\r\n`
    const [source, admin] = [login('source', here.token('c1', '/demo', 7)), login('admin', PASSWORD)]
    const ask = async (url: string, fields: string) =>
      (await say(here.port, `GET ${url} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`)).split('\r\n')[0]
    const path = `/admin/${title}`
    expect(await ask(path, source)).toMatch(/ 200 /)
    expect(await ask(path, `${source}__uri: /admin/killsource\r\n`)).toMatch(/ 200 /) // it is a title that was set
    expect(await ask('/admin/stats', `${admin}__uri: /admin/killsource\r\n`)).toMatch(/ 200 /)
    for (const logins of [source + admin, admin + source])
      expect(await ask(path, `${logins}__uri: /admin/listclients\r\n`)).toMatch(/ 400 /)
    expect(await ask(path, login('admin', PASSWORD).trim() + ', ' + source.slice('Authorization: '.length))).toMatch(/ 404 /)
    expect(live.isConnected).toBe(true)
  }, 15_000)

  test('A6: behind the front as well, admin commands need the password, or to set a title the token of the current epoch in full', async () => {
    const ask = asking(await here.innerPort())
    for (const [user, password] of [
      ['', ''],
      ['source', ''],
      ['source', here.token('c1', '/demo', 6)],
      ['source', here.token('c1', '/demo', 8)],
      ['source', here.token('c1', '/demo', 7).slice(0, -1)],
      ['admin', 'wrong'],
    ] as const) {
      expect((await ask(title, user, password)).status).toBe(401)
      for (const command of ['killsource?mount=/demo', 'moveclients?mount=/demo&destination=/w/demo', 'killsource?mount=/free'])
        expect((await ask(command, user, password)).status).toBe(401)
    }
    expect(live.isConnected).toBe(true)
    expect(await sources()).not.toContain('/free')
    expect((await ask(title, 'source', here.token('c1', '/demo', 7))).status).toBe(200)
    const shown = async () => (await here.admin('stats?mount=/demo')).body.includes('<title>hello</title>')
    await waitFor('the title to be shown', shown, { timeoutMs: 3000 })
    // Icecast takes any other command from a source for the wish to be one: the mount is in use.
    expect((await ask('killsource?mount=/demo', 'source', here.token('c1', '/demo', 7))).status).toBe(403)
    expect(live.isConnected).toBe(true)
  }, 15_000)

  test.each([
    '/w/demo',
    '/',
    '/status.xsl',
    '/status-json.xsl',
    '/server_version.xsl',
    '/demo.m3u',
    '/icecast.xml',
    '/%2e%2e/icecast.xml',
  ])('nobody can listen to %s', async (path) => {
    expect(await statusOf(here.url(path))).toBe(404)
  })

  test('administration pages are closed', async () => {
    for (const page of ['stats', 'listmounts', 'stats.xsl', '']) expect(await statusOf(here.url(`/admin/${page}`))).toBe(404)
  })

  test('a listener may come with a query string, and a long head of many fields does no harm', async () => {
    expect(await statusOf(here.url('/demo?token=x&y=z'))).toBe(200)
    const headers = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`x-field-${i}`, '%n%s'.repeat(8)]))
    const cookie = 'x'.repeat(6000)
    const status = await new Promise<number>((done) => {
      const asked = request(here.url('/demo'), { headers: { ...headers, cookie }, agent: false }, (answer) => {
        done(answer.statusCode!)
        answer.destroy()
      })
      asked.on('error', () => done(0))
      asked.end()
    })
    expect(status).toBe(200) // I6: Icecast reads 4 KiB of a head; the front passes on what it needs of it
    expect(await statusOf(here.url('/demo'))).toBe(200)
  })

  test('only Icecast gets answers: who does not know the secret path is not asked in', async () => {
    const askPort = (await readFile(join(here.home, 'ports', 'icecast-ask'), 'utf8')).trim()
    const secret = (await readFile(join(here.home, 'secrets', 'icecast-ask'), 'utf8')).trim()
    const post = (path: string, body: string, type = 'application/x-www-form-urlencoded') =>
      fetch(`http://127.0.0.1:${askPort}${path}`, { method: 'POST', body, headers: { 'content-type': type } })
    const question = `action=listener_add&mount=%2fdemo&client=1`
    const isYes = async (answer: Promise<Response>) => (await answer).headers.get('icecast-auth-user') === '1'
    expect(await isYes(post(`/ice/${secret}`, question))).toBe(true)
    for (const path of ['/ice', '/ice/', '/ice/wrong', `/ice/${secret}x`, `/ice/${secret.slice(1)}`, '/'])
      expect(await isYes(post(path, question))).toBe(false)
    expect(await isYes(post(`/ice/${secret}`, question, 'application/json'))).toBe(false)
    expect((await post(`/ice/${secret}`, `${question}&x=${'y'.repeat(20_000)}`)).status).toBe(413)
    for (const body of [
      '',
      'action=stream_auth',
      'action=%00&mount=%00',
      'action=stream_auth&mount=%2fdemo&user=source&pass=%ff',
    ])
      expect(await isYes(post(`/ice/${secret}`, body))).toBe(false)
  })

  test('the listener of the beginning never noticed any of this', async () => {
    await using listener = await openListener(here.url('/demo'))
    await waitFor('some audio', () => listener.heard.frames > 20, { timeoutMs: 5000 })
    expect(live.isConnected).toBe(true)
  })
})
