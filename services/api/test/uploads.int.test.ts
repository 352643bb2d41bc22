import { createReadStream } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newId, type Upload } from '@skipcast/db'
import { silentLogger, waitFor } from '@skipcast/runtime'
import { temporaryHome, toneFile, type TemporaryHome } from '@skipcast/testing'
import { Upload as TusClient } from 'tus-js-client'
import { sweepUploads } from '../src/finish-upload.ts'
import { buildApp } from '../src/http/app.ts'
import { reserveRoom } from '../src/reserve-room.ts'
import { testApi, type TestApi } from './test-api.ts'

const BYTES = 'application/offset+octet-stream'
const TUS = { 'tus-resumable': '1.0.0' }

let api: TestApi
let home: TemporaryHome
let token: string
let userId: string
let music: Buffer
let url: string

beforeAll(async () => {
  api = await testApi()
  home = await temporaryHome()
  const dj = await api.user('dj')
  token = dj.token
  userId = dj.user.id
  music = await readFile(await toneFile(join(home.path, 'tone.mp3'), { frequencyHz: 440, seconds: 5 }))
  url = `${await api.app.listen({ host: '127.0.0.1', port: 0 })}/api/media/uploads`
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const left = () => readdir(join(api.mediaPath, 'uploads'))
const filename = (name: string) => `filename ${Buffer.from(name).toString('base64')}`

function begin(sizeBytes: number | string, headers: Record<string, string> = {}, as = token) {
  return api.call('POST', '/api/media/uploads', {
    token: as,
    headers: { ...TUS, 'upload-length': String(sizeBytes), ...headers },
  })
}
/** Begins one and resolves to its path. */
async function begun(sizeBytes: number, name = 'x.mp3', as = token): Promise<string> {
  const { status, headers } = await begin(sizeBytes, { 'upload-metadata': filename(name) }, as)
  expect(status).toBe(201)
  return String(headers['location'])
}
function send(path: string, bytes: Buffer, offset: number, as = token) {
  const headers = { ...TUS, 'content-type': BYTES, 'upload-offset': String(offset) }
  return api.call('PATCH', path, { token: as, headers, body: bytes })
}
const head = (path: string, as = token) => api.call('HEAD', path, { token: as, headers: TUS })
const drop = (path: string, as = token) => api.call('DELETE', path, { token: as, headers: TUS })

test('a client of tus uploads music in pieces, breaks off, and goes on where it was', async () => {
  const path = join(home.path, 'tone.mp3')
  const uploadSize = music.length
  const options = {
    endpoint: url,
    uploadSize,
    chunkSize: 30_000,
    headers: { authorization: `Bearer ${token}` },
    metadata: { filename: 'Ünter drei.mp3', filetype: 'text/html' },
    retryDelays: null,
  }
  const uploadUrl = await new Promise<string>((resolve, reject) => {
    const client: TusClient = new TusClient(createReadStream(path), {
      ...options,
      onError: reject,
      onChunkComplete(_size, accepted) {
        if (accepted >= 60_000) void client.abort().then(() => resolve(client.url!))
      },
    })
    client.start()
  })
  const { pathname } = new URL(uploadUrl)
  const offset = Number((await head(pathname)).headers['upload-offset'])
  expect(offset).toBeGreaterThanOrEqual(60_000)
  expect(offset).toBeLessThan(uploadSize)

  let sent = Infinity
  await new Promise<void>((resolve, reject) => {
    new TusClient(createReadStream(path), {
      ...options,
      uploadUrl,
      onError: reject,
      onProgress: (bytes) => (sent = Math.min(sent, bytes)),
      onSuccess: () => resolve(),
    }).start()
  })
  expect(sent).toBeGreaterThanOrEqual(offset) // nothing twice
  const { headers } = await head(pathname)
  expect(headers).toMatchObject({ 'upload-offset': String(uploadSize), 'cache-control': 'no-store' })
  const { status, body } = await api.call('GET', String(headers['media-location']), { token })
  expect([status, body.original_name]).toEqual([200, 'Ünter drei.mp3'])
  expect(await left()).toEqual([])
}, 30_000)

test('an upload goes on after the API was started anew, and what came whole is finished by itself', async () => {
  const piece = Buffer.concat([music, Buffer.from('another')])
  const path = await begun(piece.length, 'restart.mp3')
  expect((await send(path, piece.subarray(0, 40_000), 0)).headers['upload-offset']).toBe('40000')
  const again = await buildApp(api.ports, { logger: silentLogger() })
  const headers = { authorization: `Bearer ${token}`, ...TUS }
  const seen = await again.inject({ method: 'HEAD', url: path, headers })
  expect(seen.headers['upload-offset']).toBe('40000')
  await again.close()

  // The last bytes came, and the process died over them.
  const id = path.split('/').at(-1)!
  await writeFile(join(api.mediaPath, 'uploads', id), piece)
  const failures: unknown[] = []
  await sweepUploads(api.ports, new Date(), (error) => failures.push(error))
  expect(failures).toEqual([])
  const location = String((await head(path)).headers['media-location'])
  expect((await api.call('GET', location, { token })).body.original_name).toBe('restart.mp3')
  const last = await send(path, Buffer.alloc(0), piece.length) // a client that never got the answer
  expect([last.status, last.headers['media-location']]).toEqual([204, location])
  expect(await left()).toEqual([])
}, 30_000)

test('what can not be played becomes a piece that says so, and none of its bytes wait any more', async () => {
  const page = Buffer.from('<!doctype html><script>alert(1)</script>'.repeat(50))
  const path = await begun(page.length, 'song.mp3')
  expect((await send(path, page.subarray(0, 100), 0)).status).toBe(204)
  const { status, headers } = await send(path, page.subarray(100), 100)
  expect(status).toBe(204)
  await api.startWorker()
  const piece = async () => (await api.call('GET', String(headers['media-location']), { token })).body
  await waitFor('the import to fail', async () => (await piece()).state === 'failed', { timeoutMs: 30_000 })
  expect((await piece()).problem).toMatch(/no audio file/)
  expect(await left()).toEqual([])
})

test('an upload that is given up, or not finished within a day, is gone with its bytes', async () => {
  const [given, old] = [await begun(1000), await begun(1000)]
  await send(given, Buffer.alloc(10), 0)
  expect((await drop(given)).status).toBe(204)
  expect((await head(given)).status).toBe(404)
  await sweepUploads(api.ports, new Date(Date.now() + 23 * 3_600_000), () => {})
  expect((await head(old)).status).toBe(200)
  await sweepUploads(api.ports, new Date(Date.now() + 25 * 3_600_000), () => {})
  expect((await head(old)).status).toBe(404)
  expect(await left()).toEqual([])
})

describe('nobody gets further than they may', () => {
  test('all requests of an upload are its owner’s alone', async () => {
    const path = await begun(1000)
    const others = [(await api.user('dj')).token, (await api.user('admin')).token]
    for (const other of others) {
      for (const answer of [await head(path, other), await send(path, Buffer.alloc(10), 0, other), await drop(path, other)])
        expect(answer.status).toBe(404)
    }
    expect((await begin(10, {}, (await api.user('listener')).token)).status).toBe(403)
    const id = path.split('/').at(-1)!
    for (const [method, at] of [
      ['POST', '/api/media/uploads'],
      ['HEAD', path],
      ['PATCH', path],
      ['DELETE', path],
    ] as const)
      expect((await api.call(method, at, { headers: TUS })).status).toBe(401)
    expect((await head(path)).headers['upload-offset']).toBe('0')
    expect(await api.stores.uploads.find(id)).not.toBeNull()
    await drop(path)
  })

  test.each([
    ['a path', '../../../etc/passwd'],
    ['a path of Windows', '..\\..\\x.mp3'],
    ['a whole path', '/etc/cron.d/x'],
    ['with a NUL', 'a\u0000b.mp3'],
    ['long', `${'x'.repeat(2000)}.mp3`],
    ['with a turn of direction', '\u202egnp.mp3'],
  ])('a file whose name is %s stays where files are', async (_what, name) => {
    const path = await begun(10, name)
    expect(path).toMatch(/^\/api\/media\/uploads\/[0-9a-f-]{36}$/)
    expect(await left()).toEqual([path.split('/').at(-1)])
    const told = String((await head(path)).headers['upload-metadata']).split(' ')[1] ?? ''
    const shown = Buffer.from(told, 'base64').toString()
    for (const character of ['/', '\\', '\u0000', '\u202e']) expect(shown).not.toContain(character)
    await drop(path)
  })

  test.each(['-1', '0', '1e3', '0x10', '9007199254740993', '99999999999999999999', '', '5, 5'])(
    'a length of %j begins nothing',
    async (length) => {
      const { status, body } = await begin(length)
      expect([400, 413]).toContain(status)
      expect(body.message).toEqual(expect.any(String))
      expect(await left()).toEqual([])
    },
  )

  test('a length above the limit is refused before anything came, and more than was announced is not taken', async () => {
    expect((await begin(5 * 1024 ** 2 + 1)).body).toMatchObject({ error: 'TOO_LARGE' })
    const path = await begun(100)
    const answer = await send(path, Buffer.alloc(200), 0)
    expect([answer.status, answer.body.error]).toEqual([413, 'TOO_LARGE'])
    const chunked = await fetch(new URL(path, url), {
      method: 'PATCH',
      headers: { ...TUS, authorization: `Bearer ${token}`, 'content-type': BYTES, 'upload-offset': '0' },
      body: new Blob([new Uint8Array(200)]).stream(),
      duplex: 'half',
    })
    expect(chunked.status).toBe(413)
    expect(Number((await head(path)).headers['upload-offset'])).toBeLessThanOrEqual(100)
    await drop(path)
  })

  test('bytes for another place than the end are refused, and so is what the protocol does not know', async () => {
    const path = await begun(100)
    await send(path, Buffer.alloc(10), 0)
    for (const offset of [0, 5, 11, 1000]) {
      const { status, body } = await send(path, Buffer.alloc(5), offset)
      expect([status, body.error]).toEqual([offset === 1000 ? expect.any(Number) : 409, expect.any(String)])
    }
    expect((await head(path)).headers['upload-offset']).toBe('10')
    const old = await api.call('HEAD', path, { token, headers: { 'tus-resumable': '0.2.2' } })
    expect([400, 412]).toContain(old.status)
    expect((await api.call('HEAD', path, { token })).headers['tus-version']).toBe('1.0.0')
    expect((await begin(10, { 'upload-concat': 'partial' })).status).toBe(400)
    expect((await begin(10, { 'upload-metadata': 'filename not-base64!' })).status).toBe(400)
    expect((await api.call('PATCH', path, { token, headers: TUS, body: { a: 1 } })).status).toBeGreaterThanOrEqual(400)
    await drop(path)
  })

  test('two uploads at once can not pass the quota together, and its refusal says what is used and allowed', async () => {
    const { user, token: dj } = await api.user('dj')
    await api.stores.uploads.setQuota(user.id, 1500)
    const answers = await Promise.all([1, 2, 3, 4].map(() => begin(1000, {}, dj)))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 413, 413, 413])
    const refused = answers.find(({ status }) => status === 413)!
    expect(refused.body).toMatchObject({
      error: 'QUOTA_EXCEEDED',
      message: expect.stringMatching(/1000 of 1500 bytes/),
      details: { used_bytes: 1000, allowed_bytes: 1500, added_bytes: 1000 },
    })
    await drop(String(answers.find(({ status }) => status === 201)!.headers['location']), dj)
    expect((await begin(1500, {}, dj)).status).toBe(201)
  })
})

test('an admin says how much somebody may have, who sees it, and a form counts from when it is announced', async () => {
  const { user, token: dj } = await api.user('dj')
  const admin = (await api.user('admin')).token
  const usage = async () => (await api.call('GET', '/api/media/usage', { token: dj })).body
  expect(await usage()).toEqual({ used_bytes: 0, pending_bytes: 0, allowed_bytes: null })
  const allow = (media_quota_bytes: unknown, as = admin) =>
    api.call('PATCH', `/api/users/${user.id}/quota`, { token: as, body: { media_quota_bytes } })
  expect((await allow(music.length + 1000)).body).toEqual({ used_bytes: 0, pending_bytes: 0, allowed_bytes: music.length + 1000 })
  expect((await allow(1, dj)).status).toBe(403)
  for (const wrong of [-1, 1.5, '1', undefined]) expect((await allow(wrong)).status).toBe(400)
  expect((await api.call('PATCH', `/api/users/${newId()}/quota`, { token: admin, body: { media_quota_bytes: 1 } })).status).toBe(
    404,
  )

  const path = await begun(1000, 'x.mp3', dj)
  expect(await usage()).toMatchObject({ pending_bytes: 1000 })
  const refused = await api.upload(dj, music)
  expect([refused.status, refused.body.error]).toEqual([413, 'QUOTA_EXCEEDED'])
  await drop(path, dj)
  expect((await api.upload(dj, music)).status).toBe(201)
  expect(await usage()).toMatchObject({ pending_bytes: 0 })
  expect((await usage()).used_bytes).toBeGreaterThan(0)
  await allow(0)
  expect(await usage()).toMatchObject({ allowed_bytes: null })
})

test('nobody gives up the room that something else of theirs takes', async () => {
  const { user, token: dj } = await api.user('dj')
  const room = await reserveRoom(api.ports, user.id, { kind: 'picture', sizeBytes: 1000 })
  const [row] = await api.query<{ id: string }>('SELECT id FROM uploads WHERE owner_id = $1', [user.id]) // as GET /api/account/export tells it
  for (const method of ['HEAD', 'DELETE', 'PATCH'])
    expect((await api.call(method, `/api/media/uploads/${row!.id}`, { token: dj, headers: TUS })).status).toBe(404)
  expect((await api.call('GET', '/api/media/usage', { token: dj })).body.pending_bytes).toBe(1000)
  await room[Symbol.asyncDispose]()
})

test('somebody has only so many unfinished uploads', async () => {
  const { user, token: dj } = await api.user('dj')
  const expiresAt = new Date(Date.now() + 60_000)
  const rows: Upload[] = []
  for (let count = 0; count < 50; count++)
    rows.push(await api.stores.uploads.create({ id: newId(), ownerId: user.id, fileName: 'x', sizeBytes: 1, expiresAt }, 0))
  expect((await begin(1, {}, dj)).body).toMatchObject({ error: 'CONFLICT', message: expect.stringContaining('50 unfinished') })
  await api.stores.uploads.settle(rows[0]!.id, { problem: 'no music' })
  expect((await begin(1, {}, dj)).status).toBe(201)
  expect(userId).not.toBe(user.id)
})

test('says what it can', async () => {
  const { status, headers } = await api.call('OPTIONS', '/api/media/uploads')
  expect([status, headers]).toMatchObject([
    204,
    { 'tus-version': '1.0.0', 'tus-max-size': String(5 * 1024 ** 2), 'tus-extension': expect.stringContaining('creation') },
  ])
  expect(headers['access-control-allow-origin']).toBeUndefined()
})
