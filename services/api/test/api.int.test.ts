import { connect, createServer } from 'node:net'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { findDaemon, freePort, waitFor } from '@skipcast/runtime'
import { wholeApi } from './whole-api.ts'

const given = wholeApi()
const { adminToken, beating, call, ready, runningChannel, start, started, status } = given

test('the first start makes an administrator, whose token lies in a file of its owner’s alone', async () => {
  const api = await started()
  const path = join(given.home.path, 'admin-token')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await adminToken()).toMatch(/^sk_[A-Za-z0-9_-]{43}$/)
  expect(await status(api, '/api/media')).toBe(200)
})

test('a later start keeps the token; where its file is lost there is a new one, and the old one ends', async () => {
  await started()
  const old = await adminToken()
  await started()
  expect(await adminToken()).toBe(old)
  await rm(join(given.home.path, 'admin-token'))
  const third = await started()
  expect(await adminToken()).not.toBe(old)
  expect((await call(third, 'GET', '/api/media', undefined, old)).status).toBe(401)
  expect(await status(third, '/api/media')).toBe(200)
})

test('a taken port is a clear error that names the port and its variable', async () => {
  const port = await freePort()
  const other = createServer().listen(port, '127.0.0.1')
  await expect(start({ API_PORT: `${port}` })).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: expect.stringMatching(new RegExp(`${port}.*API_PORT`)),
  })
  other.close()
})

test('without a database it starts, says which is missing, and answers 503 with Retry-After', async () => {
  const api = await start({ DATABASE_URL: 'postgresql://nobody:x@127.0.0.1:1/none' })
  expect(await status(api, '/healthz')).toBe(200)
  const answer = await call(api, 'GET', '/api/channels')
  expect([answer.status, answer.body.error]).toEqual([503, 'DATABASE_UNAVAILABLE'])
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  const readyz = await call(api, 'GET', '/readyz')
  expect(readyz.status).toBe(503)
  expect(readyz.body.dependencies.database.ok).toBe(false)
})

test('a PostgreSQL of its own is killed: 503 meanwhile, then everything goes on by itself', async () => {
  const api = await started({ DATABASE_URL: '' })
  const commands = given.bus.watch('streamCommands')
  const id = await runningChannel(api)
  await waitFor('the command', () => commands.values.has(id), { timeoutMs: 10_000 })

  const server = (await findDaemon(join(given.home.path, 'postgres', 'postgres.json')))!
  process.kill(server.pid, 'SIGKILL')
  const seen = new Set<number>()
  await waitFor(
    '503, and then 202 again',
    async () => {
      seen.add((await call(api, 'POST', `/api/channels/${id}/stream/stop`)).status)
      return seen.has(503) && seen.has(202)
    },
    { timeoutMs: 30_000, everyMs: 5 },
  )
  expect([...seen].toSorted((a, b) => a - b)).toEqual([202, 503])
  await waitFor('the stop to be published', () => commands.values.get(id)?.event === 'stop_stream', { timeoutMs: 30_000 })
  await ready(api)
}, 90_000)

test('an upload that breaks off, or that a stop cuts off, leaves nothing', async () => {
  const api = await started()
  const incoming = join(given.home.path, 'media', 'incoming', 'one')
  const beginUpload = async () => {
    const head = [
      'POST /api/media/upload HTTP/1.1',
      'host: x',
      `authorization: Bearer ${await adminToken()}`,
      'content-type: multipart/form-data; boundary=b',
      'content-length: 1000000',
    ]
    const part = '--b\r\ncontent-disposition: form-data; name="media_file"; filename="x.mp3"\r\n\r\n'
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.write(`${head.join('\r\n')}\r\n\r\n${part}${'x'.repeat(200_000)}`)
    await waitFor('the upload to arrive', async () => (await readdir(incoming)).length === 1, { timeoutMs: 10_000 })
    return socket
  }
  ;(await beginUpload()).destroy()
  await waitFor('it to be cleared away', async () => (await readdir(incoming)).length === 0, { timeoutMs: 10_000 })
  await beginUpload()
  await api[Symbol.asyncDispose]()
  await waitFor('it to be cleared away', async () => (await readdir(incoming)).length === 0, { timeoutMs: 10_000 })
}, 30_000)

test('Prometheus is told of channels, servers, the outbox, requests and listeners', async () => {
  const api = await started()
  await using _server = beating('studio')
  const id = await runningChannel(api)
  const text = async () => String((await call(api, 'GET', '/metrics')).body)
  await waitFor('the relay', async () => /skipcast_outbox_relay_seconds_count [1-9]/.test(await text()), { timeoutMs: 10_000 })
  const shown = await text()
  expect(shown).toMatch(/skipcast_channels{phase="(starting|placing)"} 1/)
  expect(shown).toContain('skipcast_outbox_rows{state="waiting"} 0')
  expect(shown).toContain('skipcast_server_up{server="studio"} 1')
  expect(shown).toContain('skipcast_listeners 0')
  expect(shown).toMatch(
    /request_duration_seconds_count{method="POST",route="\/api\/channels\/:channel\/stream\/start",status="202"} 1/,
  )
  expect(shown).not.toContain(id)
})
