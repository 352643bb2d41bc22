import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { childUser, httpGet, identify, waitFor } from '@skipcast/runtime'
import { PLAYER_RESERVE_MS, hears, openListener, summarise, type Listener } from '@skipcast/testing'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { machine, statusOf, type Machine } from './role.ts'

describe('the role and its icecast2', () => {
  let owned: AsyncDisposableStack
  let here: Machine

  beforeEach(async () => {
    owned = new AsyncDisposableStack()
    here = owned.use(await machine())
  })
  afterEach(() => owned.disposeAsync())

  const pid = () => here.pidOf('icecast2')

  const audience = (options: Parameters<typeof openListener>[1] = {}) =>
    Promise.all(Array.from({ length: 50 }, async () => owned.use(await openListener(here.url('/demo'), options))))

  test('a role that hands over leaves icecast2 and the front to the next, and none of 50 listeners of a programme notices', async () => {
    const first = await here.start({ onStop: 'hand-over' })
    await here.command('start_stream', 'c1', '/demo')
    await here.untilFed('/demo')
    const source = await here.engine()
    const listeners = await audience()
    const listener = listeners[0]!
    await hears(listener, 440, { timeoutMs: 5000 })
    const before = [await pid(), await here.pidOf('haproxy')]
    const mark = performance.now()

    await first[Symbol.asyncDispose]()
    const turnedAway = async () => {
      const status = await statusOf(here.url('/demo'))
      expect([404, 503]).toContain(status) // nobody is there to ask: closed rather than open
      return status === 503
    }
    await waitFor('the front to say that it is not the channel that is missing', turnedAway, { timeoutMs: 2000 })
    owned.use(await here.start())
    expect([await pid(), await here.pidOf('haproxy')]).toEqual(before)
    await waitFor('newcomers to be let in again', async () => (await statusOf(here.url('/demo'))) === 200, { timeoutMs: 5000 })
    const waiting = async () => (await here.admin('listmounts')).body.includes('"/w/demo"')
    await waitFor('the silence beside it', waiting, { timeoutMs: 5000 })
    const gaps = summarise(listeners.map((each) => each.gapSince(mark)))
    process.stderr.write(`role replaced: gap ${gaps.text}\n`)
    expect(gaps.max).toBeLessThan(PLAYER_RESERVE_MS)
    expect(listeners.flatMap((each) => each.closures)).toEqual([])

    source.die() // the fallback that the first role set still holds
    await waitFor('silence', () => listener.framesSince(performance.now() - 200).every((frame) => frame.silent), {
      timeoutMs: 5000,
    })
    expect(listener.closures).toEqual([])
    expect((await here.engine({ epoch: 0 })).status).toBe(401) // and so does the epoch
  }, 60_000)

  test('with the bus away from the start, channels of the process before are fed, and engines may come', async () => {
    const first = await here.start()
    await here.command('start_stream', 'c1', '/demo', 5)
    await here.untilFed('/demo')
    await waitFor('the snapshot', () => readFile(join(here.home, 'icecast', 'wanted.json'), 'utf8'), { timeoutMs: 5000 })
    await first[Symbol.asyncDispose]()
    here.bus.outage(true)
    owned.use(await here.start())
    await here.untilFed('/demo')
    expect((await here.engine({ epoch: 5 })).status).toBe(200)
    here.bus.outage(false)
    await using listener = await openListener(here.url('/demo'))
    await hears(listener, 440, { timeoutMs: 5000 })
  }, 60_000)

  test('an icecast2 that dies with 50 listeners is started again, and all of them are back on the programme', async () => {
    owned.use(await here.start())
    await here.command('start_stream', 'c1', '/demo')
    await here.untilFed('/demo')
    const first = await here.engine()
    const listeners = await audience({ reconnectAfterMs: 50 })
    await hears(listeners[0]!, 440, { timeoutMs: 5000 })
    const before = await pid()
    const mark = performance.now()
    process.kill(before, 'SIGKILL')
    await waitFor('the engine to notice', () => !first.isConnected, { timeoutMs: 5000 })
    await waitFor('the engine to be back', async () => (await here.engine()).status === 200, { timeoutMs: 15_000, everyMs: 200 })
    const isBack = (each: Listener) => each.framesSince(performance.now() - 300).some((frame) => !frame.silent)
    await waitFor('all listeners to be back', () => listeners.every((each) => each.reconnects > 0 && isBack(each)), {
      timeoutMs: 20_000,
    })
    const gaps = summarise(listeners.map((each) => each.gapSince(mark)))
    process.stderr.write(
      `icecast2 killed: gap ${gaps.text}, programme for all after ${(performance.now() - mark).toFixed(0)} ms\n`,
    )
    expect(await pid()).not.toBe(before)
    await waitFor('good health', () => here.health.read()['icecast2']?.ok, { timeoutMs: 5000 })
  }, 60_000)

  test('an icecast2 that froze for a while and goes on has the programme again, not silence', async () => {
    owned.use(await here.start())
    await here.command('start_stream', 'c1', '/demo')
    await here.untilFed('/demo')
    let playing = await here.engine()
    await using listener = await openListener(here.url('/demo'), { reconnectAfterMs: 50 })
    await hears(listener, 440, { timeoutMs: 5000 })
    const frozen = await pid()
    process.kill(frozen, 'SIGSTOP')
    await waitFor('that to be told', () => here.health.read()['icecast2']?.ok === false, { timeoutMs: 15_000 })
    process.kill(frozen, 'SIGCONT')
    const comeBack = async () => {
      if (!playing.isConnected) playing = await here.engine()
      const frames = listener.framesSince(performance.now() - 1000)
      return frames.length > 10 && frames.every((frame) => !frame.silent)
    }
    await waitFor('the programme and nothing else', comeBack, { timeoutMs: 20_000, everyMs: 200 })
    expect(await pid()).toBe(frozen)
    await waitFor('good health', () => here.health.read()['icecast2']?.ok, { timeoutMs: 5000 })
  }, 60_000)

  test('an icecast2 that lives but never answers again is ended and started again', async () => {
    owned.use(await here.start())
    await here.command('start_stream', 'c1', '/demo')
    await here.untilFed('/demo')
    await using listener = await openListener(here.url('/demo'), { reconnectAfterMs: 50 })
    await waitFor('sound', () => listener.firstByteAt, { timeoutMs: 5000 })
    const before = await pid()
    process.kill(before, 'SIGSTOP')
    await waitFor('the listener to be back', () => listener.reconnects > 0, { timeoutMs: 45_000 })
    expect(await pid()).not.toBe(before)
    expect(identify(before)).toBeNull()
  }, 60_000)

  test('an engine that tells a title is not kept waiting by a role that hangs', async () => {
    const first = await here.start({ onStop: 'hand-over' })
    await here.command('start_stream', 'c1', '/demo')
    await here.untilFed('/demo')
    await here.engine()
    await first[Symbol.asyncDispose]()
    const askPort = Number(await readFile(join(here.home, 'ports', 'icecast-ask'), 'utf8'))
    const hanging = createServer().listen(askPort, '127.0.0.1')
    await once(hanging, 'listening')
    try {
      const title = new URL('/admin/metadata?mode=updinfo&mount=/demo&song=A', here.url('/'))
      const login = { user: 'source', password: here.token('c1', '/demo', 1) }
      // Icecast itself says no after 15 s.
      expect((await httpGet(title, { ...login, timeoutMs: 10_000, maxBytes: 1000 })).status).toBe(504)
    } finally {
      hanging.close()
    }
    owned.use(await here.start())
  }, 60_000)

  test('another configuration replaces the running icecast2', async () => {
    const first = await here.start({ onStop: 'hand-over' })
    const before = await pid()
    await first[Symbol.asyncDispose]()
    owned.use(await here.start({ environment: { ICECAST_MAX_LISTENERS: '77' } }))
    expect(await pid()).not.toBe(before)
    expect(identify(before)).toBeNull()
  }, 60_000)

  test('stopping ends icecast2 and the front', async () => {
    const role = await here.start()
    const before = [await pid(), await here.pidOf('haproxy')]
    await role[Symbol.asyncDispose]()
    expect(before.map(identify)).toEqual([null, null])
  }, 30_000)

  test('a taken port is told, with the variable that changes it', async () => {
    const other = createServer().listen(here.port, '127.0.0.1')
    await once(other, 'listening')
    await expect(here.start()).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringMatching(new RegExp(`${here.port}.*ICECAST_PORT`)),
    })
    other.close()
  })

  test('I1: an Icecast that is too old or too new, or none at all, is refused, and so is a machine without HAProxy', async () => {
    const other = join(here.home, 'other-icecast')
    for (const version of ['2.4.3', '2.5.0']) {
      await writeFile(other, `#!/bin/sh\necho Icecast ${version}\n`, { mode: 0o755 })
      await expect(here.start({ environment: { ICECAST_BIN: other } })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(`is Icecast ${version}`),
      })
    }
    await expect(here.start({ environment: { ICECAST_BIN: join(here.home, 'none') } })).rejects.toMatchObject({
      code: 'PROGRAM_MISSING',
    })
    await expect(here.start({ environment: { HAPROXY_BIN: join(here.home, 'none') } })).rejects.toMatchObject({
      code: 'PROGRAM_MISSING',
      message: expect.stringMatching(/apt-get install haproxy.*HAPROXY_BIN/),
    })
  })

  test.each([
    ['icecast2', 'icecast.xml'],
    ['haproxy', 'haproxy.cfg'],
  ] as const)(
    'I3, I4: %s has neither our rights, nor our groups, nor our files, and its secrets are its own',
    async (program, file) => {
      owned.use(await here.start())
      const [number, user] = [await here.pidOf(program), childUser()]
      const status = await readFile(`/proc/${number}/status`, 'utf8')
      const uid = user?.uid ?? process.getuid!()
      expect(/^Uid:\t(\d+)\t(\d+)/m.exec(status)!.slice(1)).toEqual([`${uid}`, `${uid}`])
      if (user) expect(/^Groups:\t(.*)$/m.exec(status)![1]!.trim()).toBe('')
      const openFiles = async () => {
        const descriptors = await readdir(`/proc/${number}/fd`)
        return Promise.all(descriptors.map((fd) => readlink(`/proc/${number}/fd/${fd}`).catch(() => '')))
      }
      // HAProxy's master starts itself once more when its worker runs.
      const isLoaded = async () => !(await openFiles()).some((file) => file.startsWith('/usr/lib/'))
      await waitFor('the program to be loaded', isLoaded, { timeoutMs: 5000 })
      const files = await openFiles()
      const isOwn = (file: string) => ['/dev/', '/etc/', here.home].some((place) => file.startsWith(place))
      const foreign = files.filter((file) => file.startsWith('/') && !isOwn(file))
      expect(foreign).toEqual([])

      const config = await stat(join(here.home, 'icecast', program, file))
      expect([config.mode & 0o777, config.uid]).toEqual([0o600, uid])
      const [commandLine, environment] = await Promise.all(
        ['cmdline', 'environ'].map((name) => readFile(`/proc/${number}/${name}`, 'utf8')),
      )
      const secret = (await readFile(join(here.home, 'secrets', 'icecast-ask'), 'utf8')).trim()
      expect(`${commandLine} ${environment}`).not.toContain(secret)
    },
    30_000,
  )
})
