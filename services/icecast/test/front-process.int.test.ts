import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { childUser, identify, runCommand, waitFor } from '@skipcast/runtime'
import { PLAYER_RESERVE_MS, freePorts, hears, openListener } from '@skipcast/testing'
import { appendFile, copyFile, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { byStatus, crowd } from './crowd.ts'
import { machine, statusOf, type Machine } from './role.ts'
import { say } from './say.ts'

describe('the front as a process', () => {
  let owned: AsyncDisposableStack
  let here: Machine

  beforeEach(async () => {
    owned = new AsyncDisposableStack()
    here = owned.use(await machine())
  })
  afterEach(() => owned.disposeAsync())

  const onAir = async () => {
    await here.command('start_stream', 'c1', '/demo')
    await here.untilFed('/demo')
    const engine = await here.engine()
    const listener = owned.use(await openListener(here.url('/demo')))
    await hears(listener, 440, { timeoutMs: 8000 })
    return { listener, engine }
  }

  test('a front that dies is started again', async () => {
    owned.use(await here.start())
    await here.command('start_stream', 'c1', '/demo')
    await here.untilFed('/demo')
    await using listener = await openListener(here.url('/demo'), { reconnectAfterMs: 50 })
    const [front, icecast] = [await here.pidOf('haproxy'), await here.pidOf('icecast2')]
    const mark = performance.now()
    process.kill(front, 'SIGKILL')
    await waitFor('the listener to be back', () => listener.reconnects === 1, { timeoutMs: 15_000 })
    process.stderr.write(`front killed: listener back after ${(performance.now() - mark).toFixed(0)} ms\n`)
    expect(await here.pidOf('haproxy')).not.toBe(front)
    expect(await here.pidOf('icecast2')).toBe(icecast)
    await waitFor('good health', () => here.health.read()['haproxy']?.ok, { timeoutMs: 5000 })
  }, 60_000)

  test('takes over another configuration without letting a listener or an engine go', async () => {
    const first = await here.start({ onStop: 'hand-over' })
    const { listener, engine } = await onAir()
    const [front, icecast] = [await here.pidOf('haproxy'), await here.pidOf('icecast2')]
    await first[Symbol.asyncDispose]()
    const mark = performance.now()
    const [port] = await freePorts(1)
    const second = await here.start({ onStop: 'hand-over', environment: { ICECAST_STATISTICS_FROM: '192.0.2.7' } })
    await second[Symbol.asyncDispose]()
    owned.use(await here.start({ environment: { ICECAST_PORT: `${port}` } }))
    const newUrl = `http://127.0.0.1:${port}/demo`
    await waitFor('the new port to be open', async () => (await statusOf(newUrl)) === 200, { timeoutMs: 8000 })
    await expect(statusOf(here.url('/demo'))).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' })
    process.stderr.write(`front reloaded twice: gap ${listener.gapSince(mark).toFixed(0)} ms\n`)
    expect(listener.closures).toEqual([])
    expect(engine.isConnected).toBe(true)
    expect(listener.gapSince(mark)).toBeLessThan(PLAYER_RESERVE_MS)
    expect([await here.pidOf('haproxy'), await here.pidOf('icecast2')]).toEqual([front, icecast])
  }, 60_000)

  test('a front with connections of before ends with the role that ends', async () => {
    const first = await here.start({ onStop: 'hand-over' })
    const { listener } = await onAir()
    await first[Symbol.asyncDispose]()
    const second = await here.start({ environment: { ICECAST_STATISTICS_FROM: '192.0.2.7' } })
    const front = await here.pidOf('haproxy')
    await second[Symbol.asyncDispose]()
    expect(identify(front)).toBeNull()
    await waitFor('the listener to be let go', () => !listener.isConnected, { timeoutMs: 5000 })
  }, 60_000)

  const certificate = async (name: string, file: string) => {
    const [key, cert] = [join(here.home, `${name}.key`), join(here.home, `${name}.crt`)]
    const subject = ['-subj', `/CN=${name}.example.org`, '-days', '2', '-keyout', key, '-out', cert]
    await runCommand('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject], { timeoutMs: 20_000 })
    await writeFile(file, (await readFile(cert, 'utf8')) + (await readFile(key, 'utf8')), { mode: 0o600 })
  }
  const nameAt = (port: number) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN))
        socket.destroy()
      })
      socket.once('error', reject)
    })

  test('speaks TLS, for listeners and sources, and takes over a renewed certificate without letting go or turning away anybody', async () => {
    const [tlsPort] = await freePorts(1)
    const file = join(here.home, 'radio.pem')
    await certificate('old', file)
    owned.use(await here.start({ environment: { ICECAST_TLS_CERT: file, ICECAST_TLS_PORT: `${tlsPort}` } }))
    const { listener, engine } = await onAir()
    const ask = 'GET /demo HTTP/1.0\r\n\r\n'
    expect(await say(tlsPort!, ask, { tls: true, enoughBytes: 6000 })).toMatch(/^HTTP\/1\.0 200 OK/)
    const forged = Buffer.from('source:hackme').toString('base64')
    const source = `SOURCE /demo HTTP/1.0\r\nAuthorization: Basic ${forged}\r\n\r\n`
    expect(await say(tlsPort!, source, { tls: true })).toMatch(/^HTTP\/1\.0 401/)
    expect(await nameAt(tlsPort!)).toBe('old.example.org')
    const copy = await stat(join(here.home, 'icecast', 'haproxy', 'certificate.pem'))
    expect([copy.mode & 0o777, copy.uid]).toEqual([0o600, childUser()?.uid ?? process.getuid!()])

    const comers: ReturnType<typeof crowd>[] = []
    using timers = new DisposableStack()
    const timer = setInterval(() => comers.push(crowd(here.port, '/demo', { size: 1, spreadMs: 0 })), 25)
    timers.defer(() => clearInterval(timer))
    await writeFile(file, 'torn')
    await certificate('new', join(here.home, 'new.pem'))
    await copyFile(join(here.home, 'new.pem'), file)
    await waitFor('the new certificate', async () => (await nameAt(tlsPort!)) === 'new.example.org', { timeoutMs: 15_000 })
    timers.dispose()
    const counts = byStatus((await Promise.all(comers)).flat())
    process.stderr.write(`certificate renewed: who came meanwhile ${JSON.stringify(counts)}\n`)
    expect(Object.keys(counts)).toEqual(['200'])
    expect(listener.closures).toEqual([])
    expect(engine.isConnected).toBe(true)
  }, 60_000)

  test('a certificate that can not be used is told with its variable', async () => {
    const file = join(here.home, 'bad.pem')
    const start = () => here.start({ environment: { ICECAST_TLS_CERT: file } })
    const refused = { code: 'CONFIG_INVALID', message: expect.stringContaining('ICECAST_TLS_CERT') }
    await expect(start()).rejects.toMatchObject(refused)
    await writeFile(file, 'no certificate')
    await expect(start()).rejects.toMatchObject(refused)
  }, 30_000)

  test('logs stay small, and nobody notices that they are begun anew', async () => {
    const limitKb = 16
    owned.use(await here.start({ environment: { ICECAST_LOG_KB: `${limitKb}` } }))
    const { listener } = await onAir()
    const before = [await here.pidOf('haproxy'), await here.pidOf('icecast2')]
    const mark = performance.now()
    expect(byStatus(await crowd(here.port, '/demo', { size: 250, spreadMs: 0 }))).toEqual({ 200: 250 })
    const front = join(here.home, 'icecast', 'haproxy', 'output.log')
    await appendFile(front, `${'x'.repeat(limitKb * 1024)}\n`)
    for (const log of [join(here.home, 'icecast', 'icecast2', 'access.log'), front]) {
      const begunAnew = async () => (await stat(`${log}.old`)).size > 0 && (await stat(log)).size <= limitKb * 1024
      await waitFor(`${log} to be begun anew`, begunAnew, { timeoutMs: 15_000 })
    }
    expect([await here.pidOf('haproxy'), await here.pidOf('icecast2')]).toEqual(before)
    expect(listener.closures).toEqual([])
    expect(listener.gapSince(mark)).toBeLessThan(PLAYER_RESERVE_MS)

    process.kill(before[0]!, 'SIGUSR2')
    await waitFor('the front to go on writing, at the new end', async () => (await readFile(front, 'utf8')).startsWith('['), {
      timeoutMs: 5000,
    })
  }, 60_000)
})
