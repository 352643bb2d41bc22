import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { runCommand, waitFor } from '@skipcast/runtime'
import { temporaryHome, toneFile } from '@skipcast/testing'
import { testApi, type TestApi } from './test-api.ts'

let api: TestApi
let token: string

beforeAll(async () => {
  api = await testApi()
  token = (await api.user('dj')).token
  await api.app.listen({ host: '127.0.0.1', port: 0 })
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

describe('every refusal has the one shape', () => {
  const multipart = { 'content-type': 'multipart/form-data; boundary=b' }
  const part = 'content-disposition: form-data; name="media_file"; filename="x.mp3"'
  test.each<[string, string, string, Record<string, string>, string | Buffer | undefined, number]>([
    ['an unknown path', 'GET', '/api/nothing', {}, undefined, 404],
    ['an unknown method', 'PATCH', '/api/channels', {}, undefined, 404],
    ['a path that is no text', 'GET', '/api/channels/%zz', {}, undefined, 400],
    ['a name in a path that nothing can have', 'GET', `/api/channels/${'x'.repeat(5000)}`, {}, undefined, 404],
    ['JSON that breaks off', 'POST', '/api/channels', { 'content-type': 'application/json' }, '{"name":', 400],
    ['JSON of a prototype', 'POST', '/api/channels', { 'content-type': 'application/json' }, '{"__proto__":{"a":1}}', 400],
    ['no body', 'POST', '/api/channels', { 'content-type': 'application/json' }, '', 400],
    ['another content type', 'POST', '/api/channels', { 'content-type': 'text/xml' }, '<a/>', 415],
    ['no content type that is one', 'POST', '/api/channels', { 'content-type': 'nonsense' }, 'x', 415],
    ['a body too large', 'POST', '/api/channels', { 'content-type': 'application/json' }, `"${'x'.repeat(200_000)}"`, 413],
    ['a form where there is none', 'POST', '/api/channels', multipart, '--b--\r\n', 400],
    ['a form without a boundary', 'POST', '/api/media/upload', { 'content-type': 'multipart/form-data' }, 'x', 400],
    ['a form that breaks off', 'POST', '/api/media/upload', multipart, `--b\r\n${part}\r\n\r\nhalf`, 400],
    ['a form of garbage', 'POST', '/api/media/upload', multipart, Buffer.from([0, 255, 13, 10, 0]), 400],
    ['an empty form', 'POST', '/api/media/upload', multipart, '--b--\r\n', 400],
    ['JSON where there is a form', 'POST', '/api/media/upload', { 'content-type': 'application/json' }, '{}', 415],
  ])('%s', async (_what, method, url, headers, body, wanted) => {
    const answer = await api.call(method, url, { token, headers, ...(body !== undefined && { body: body as never }) })
    expect({ status: answer.status, body: answer.body }).toMatchObject({
      status: wanted,
      body: { error: expect.stringMatching(/^[A-Z_]+$/), message: expect.stringMatching(/.{10}/) },
    })
    expect(Object.keys(answer.body).filter((key) => !['error', 'message', 'details'].includes(key))).toEqual([])
    expect(answer.text).not.toMatch(/node_modules|\.ts:|at \w+ \(/)
    expect(answer.headers['x-content-type-options']).toBe('nosniff')
    const left = await readdir(join(api.mediaPath, 'incoming', 'test'))
    expect(left).toEqual([])
  })
})

test.each<[string, string, Record<string, string>, string | undefined, string]>([
  ['GET', '/api/channels?page=1&page=2', {}, undefined, 'page: give it once'],
  ['GET', '/api/channels?search=a&search=b', {}, undefined, 'search: give it once'],
  ['GET', '/api/channels?page=one', {}, undefined, 'page: must be a whole number from 1 to 100000'],
  ['GET', '/api/channels?per_page=101', {}, undefined, 'per_page: must be a whole number from 1 to 100'],
  [
    'POST',
    '/api/channels',
    { 'content-type': 'text/xml' },
    '<a/>',
    'Send the body with the header Content-Type: application/json.',
  ],
  ['POST', '/api/channels', {}, 'x', 'Send the body with the header Content-Type: application/json.'],
  [
    'POST',
    '/api/media/upload',
    { 'content-type': 'audio/mpeg' },
    'x',
    'Send the body with the header Content-Type: multipart/form-data.',
  ],
  [
    'POST',
    '/api/media/upload',
    { 'content-type': 'application/json' },
    '{}',
    'Send the body with the header Content-Type: multipart/form-data.',
  ],
])('%s %s with %j %j is told what to do', async (method, url, headers, body, message) => {
  const answer = await api.call(method, url, { token, headers, ...(body !== undefined && { body: body as never }) })
  expect(answer.body).toMatchObject({ message })
})

test.each(['track-plays', 'metrics'])('instants that no database can hold are refused by %s', async (list) => {
  const { body } = await api.call('POST', '/api/channels', { token, body: { name: `Instants of ${list}` } })
  for (const [name, instant] of [
    ['from', '0000-01-01T00:00:00Z'],
    ['to', '0000-12-31T23:59:59Z'],
    ['to', '0001-01-01T00:00:00Z'],
    ['from', '1970-01-01T00:00:00+00:01'],
    ['to', '9999-12-31T23:59:59-00:01'],
    ['from', '2026-13-01T00:00:00Z'],
  ] as const) {
    const query = new URLSearchParams({ [name]: instant }).toString()
    const answer = await api.call('GET', `/api/channels/${body.channel.id}/${list}?${query}`, { token })
    expect([answer.status, answer.body.message]).toEqual([
      400,
      `${name}: must be an instant that exists, in the years 1970 to 9999 (UTC)`,
    ])
  }
  const query = new URLSearchParams({ to: '1970-01-01T00:00:00Z' }).toString()
  expect((await api.call('GET', `/api/channels/${body.channel.id}/${list}?${query}`, { token })).status).toBe(200)
})

test.each([
  ['5,000 headers', `GET /api/channels HTTP/1.1\r\nhost: x\r\n${'x: y\r\n'.repeat(5000)}\r\n`],
  ['a header of 100 kB', `GET /api/channels HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`],
  ['a path of 100 kB', `GET /${'y'.repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`],
  ['a password of 10 kB', `GET /api/media HTTP/1.1\r\nhost: x\r\nauthorization: Basic ${'QQ'.repeat(5000)}\r\n\r\n`],
  ['formats', 'GET /%n%n%s%99999d HTTP/1.1\r\nhost: %n\r\n%s: %n\r\n\r\n'],
  ['no HTTP at all', '\0\xff%n\r\n\r\n'],
  ['a length that is none', 'POST /api/channels HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n'],
  ['two lengths', 'POST /api/channels HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
])('I6: %s are refused in the one shape, and the next is answered', async (_what, text) => {
  const { port } = new URL(api.app.listeningOrigin)
  const socket = connect(Number(port), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(text, 'latin1')
  const chunks: Buffer[] = []
  for await (const chunk of socket) {
    chunks.push(chunk as Buffer)
    if (Buffer.concat(chunks).includes('}')) break // some are refused without closing the connection
  }
  const answer = Buffer.concat(chunks).toString()
  expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /)
  expect(JSON.parse(answer.slice(answer.indexOf('{')))).toEqual({
    error: expect.stringMatching(/^[A-Z_]+$/),
    message: expect.stringMatching(/.{10}/),
  })
  expect((await fetch(`${api.app.listeningOrigin}/api/ping`)).status).toBe(200)
})

describe('who asks too often', () => {
  test('is told when to go on, by token where it is valid, and probes are answered all the same', async () => {
    await using limited = await testApi({ requestsPerMinute: 5 })
    const one = (await limited.user('dj')).token
    const other = (await limited.user('dj')).token
    const statuses = async (token: string, times: number) => {
      const found: number[] = []
      for (let turn = 0; turn < times; turn++) found.push((await limited.call('GET', '/api/media', { token })).status)
      return found
    }
    expect(await statuses(one, 1)).toEqual([200]) // counted for the address, as nobody knew the token yet
    expect(await statuses(other, 1)).toEqual([200])
    expect(await statuses(one, 6)).toEqual([200, 200, 200, 200, 200, 429])
    expect(await statuses(other, 1)).toEqual([200])
    const refused = await limited.call('GET', '/api/media', { token: one })
    expect(refused.body).toMatchObject({ error: 'TOO_MANY_REQUESTS', message: expect.stringMatching(/Go on in \d+ s/) })
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(2)
    expect((await limited.call('GET', '/healthz', { token: one })).status).toBe(200)
  }, 60_000)

  test('A10: gets no room by forged addresses and made-up tokens', async () => {
    await using limited = await testApi({ requestsPerMinute: 5 })
    const found: number[] = []
    for (let turn = 0; turn < 50; turn++) {
      const headers = { 'x-forwarded-for': `10.0.0.${turn}`, 'x-real-ip': `10.0.0.${turn}`, forwarded: `for=10.0.0.${turn}` }
      found.push((await limited.call('GET', '/api/media', { headers, token: `sk_${turn}` })).status)
    }
    expect(found.slice(0, 5)).toEqual([401, 401, 401, 401, 401])
    expect(new Set(found.slice(5))).toEqual(new Set([429]))
  }, 60_000)

  test('is told apart by the proxy that the configuration names, and by no other', async () => {
    await using limited = await testApi({ requestsPerMinute: 2, trustedProxies: ['127.0.0.0/8'] })
    const from = async (address: string) =>
      (await limited.call('GET', '/api/channels', { headers: { 'x-forwarded-for': address } })).status
    expect([await from('10.0.0.1'), await from('10.0.0.1'), await from('10.0.0.1')]).toEqual([200, 200, 429])
    expect(await from('10.0.0.2')).toBe(200)
    expect(await from('1.1.1.1, 10.0.0.1')).toBe(429) // what a client wrote before the proxy’s own word
  }, 60_000)
})

test('an upload to a full disk says so, and leaves nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'skipcast-full-'))
  await using undo = new AsyncDisposableStack()
  undo.defer(() => rm(folder, { recursive: true }))
  const mount = (program: string, args: string[]) => runCommand(program, [...args, folder], { timeoutMs: 5000 })
  const isMounted = await mount('mount', ['-t', 'tmpfs', '-o', 'size=300k', 'tmpfs']).then(
    () => true,
    () => false,
  )
  if (!isMounted) {
    process.stderr.write('NOT TESTED: a full disk, as nothing can be mounted here\n')
    return
  }
  undo.defer(async () => void (await mount('umount', [])))
  await chmod(folder, 0o755)
  await using full = await testApi({}, folder)
  await using home = await temporaryHome()
  const dj = (await full.user('dj')).token
  const incoming = () => readdir(join(full.mediaPath, 'incoming', 'test'))
  const refused = async (file: Buffer) => {
    const answer = await full.upload(dj, file)
    expect([answer.status, answer.body.error]).toEqual([507, 'NO_SPACE'])
    expect(answer.body.message).toMatch(/make room/)
    expect(answer.headers['retry-after']).toBeDefined()
    expect(await incoming()).toEqual([])
  }
  await refused(Buffer.alloc(400_000, 1)) // while it comes
  await refusedInPieces(full, dj)
  const long = await toneFile(join(home.path, 'long.ogg'), { frequencyHz: 440, seconds: 30 })
  const file = await readFile(long)
  expect(file.length).toBeLessThan(250_000)
  const { body: waiting } = await full.upload(dj, file, 'long.ogg', 'media_file', '')
  await full.startWorker()
  expect(waiting.state).toBe('processing')
  const isTried = async () =>
    (await full.call('GET', `/api/media/${waiting.id}/jobs`, { token: dj })).body.data[0].state === 'running'
  await waitFor('its import to be tried', isTried, { timeoutMs: 20_000 })
  await runCommand('mount', ['-o', 'remount,size=4m', folder], { timeoutMs: 5000 })
  const isReady = async () => (await full.call('GET', `/api/media/${waiting.id}`, { token: dj })).body.state === 'ready'
  await waitFor('it to be imported, now that there is room', isReady, { timeoutMs: 30_000 })
  const short = await readFile(await toneFile(join(home.path, 'short.mp3'), { frequencyHz: 440, seconds: 1 }))
  expect((await full.upload(dj, short)).status).toBe(201)
}, 60_000)

/** Of uploads in pieces, the one that does not fit is lost, and no other. */
async function refusedInPieces(full: TestApi, token: string): Promise<void> {
  const tus = { 'tus-resumable': '1.0.0' }
  const begin = (sizeBytes: number) =>
    full.call('POST', '/api/media/uploads', { token, headers: { ...tus, 'upload-length': String(sizeBytes) } })
  const send = (path: string, sizeBytes: number) => {
    const headers = { ...tus, 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' }
    return full.call('PATCH', path, { token, headers, body: Buffer.alloc(sizeBytes, 1) })
  }
  const head = (path: string) => full.call('HEAD', path, { token, headers: tus })
  const [kept, lost] = [(await begin(100_000)).headers['location'], (await begin(200_000)).headers['location']] as string[]
  expect((await send(kept!, 50_000)).status).toBe(204)
  expect(await begin(1_000_000)).toMatchObject({ status: 507, body: { error: 'NO_SPACE' } })
  const ballast = join(full.mediaPath, 'ballast')
  await writeFile(ballast, Buffer.alloc(150_000, 1))
  const answer = await send(lost!, 200_000)
  expect([answer.status, answer.body.error]).toEqual([507, 'NO_SPACE'])
  expect((await head(lost!)).status).toBe(404)
  expect(await readdir(join(full.mediaPath, 'uploads'))).toEqual([kept!.split('/').at(-1)])
  await rm(ballast)
  expect((await head(kept!)).headers['upload-offset']).toBe('50000')
  expect((await full.call('DELETE', kept!, { token, headers: tus })).status).toBe(204)
}
