import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { temporaryHome, toneFile, type TemporaryHome } from '@skipcast/testing'
import { testApi, type TestApi } from './test-api.ts'

let api: TestApi
let home: TemporaryHome
let url: string
let owner: string
let path: string
let otherPath: string
let air: Buffer

beforeAll(async () => {
  api = await testApi()
  home = await temporaryHome()
  url = await api.app.listen({ host: '127.0.0.1', port: 0 })
  owner = (await api.user('dj')).token
  const upload = async (frequencyHz: number) => {
    const file = await readFile(await toneFile(join(home.path, `${frequencyHz}.mp3`), { frequencyHz, seconds: 3 }))
    return (await api.upload(owner, file, `Tön "${frequencyHz}".mp3`)).body.id as string
  }
  const id = await upload(440)
  path = `/api/media/${id}/file`
  otherPath = `/api/media/${await upload(660)}/file`
  const sha256 = (await api.stores.media.find(id))!.sha256!
  air = await readFile(join(api.mediaPath, sha256.slice(0, 2), `${sha256}.mp3`))
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

/** Over a real connection. */
async function get(from: string, headers: Record<string, string> = {}, method = 'GET') {
  const response = await fetch(new URL(from, url), { method, headers })
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) }
}
const owned = (headers: Record<string, string> = {}) => ({ authorization: `Bearer ${owner}`, ...headers })

test('its owner hears a piece whole, and it is nothing but sound to a browser', async () => {
  const { status, headers, bytes } = await get(path, owned())
  expect(status).toBe(200)
  expect(bytes.equals(air)).toBe(true)
  expect(Object.fromEntries(headers)).toMatchObject({
    'content-type': 'audio/mpeg',
    'content-length': String(air.length),
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-cache',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    etag: expect.stringMatching(/^"[\w-]{43}"$/),
  })
  expect(headers.get('content-disposition')).toMatch(/^inline; filename="[\w .()-]+"; filename\*=UTF-8''[\w%.~!-]+$/)
  const head = await get(path, owned(), 'HEAD')
  expect([head.status, head.headers.get('content-length'), head.bytes.length]).toEqual([200, String(air.length), 0])
})

test.each([
  ['bytes=0-99', 0, 99],
  ['bytes=1000-', 1000, null],
  ['bytes=-500', -500, null],
  ['bytes=5-99999999999999999999', 5, null],
])('a part of it: %s', async (range, first, last) => {
  const { status, headers, bytes } = await get(path, owned({ range }))
  const from = first < 0 ? air.length + first : first
  const to = last ?? air.length - 1
  expect([status, headers.get('content-range')]).toEqual([206, `bytes ${from}-${to}/${air.length}`])
  expect(bytes.equals(air.subarray(from, to + 1))).toBe(true)
})

test('parts behind the end are refused with its length, and several at once are answered with all', async () => {
  for (const range of [`bytes=${air.length}-`, 'bytes=-0', 'bytes=99999999999999999999-']) {
    const { status, headers, bytes } = await get(path, owned({ range }))
    expect([status, headers.get('content-range')]).toEqual([416, `bytes */${air.length}`])
    expect(JSON.parse(bytes.toString())).toMatchObject({ error: 'RANGE_INVALID' })
  }
  for (const range of ['bytes=0-1,5-9', 'bytes=9-1', 'lines=1-2', `bytes=${'1'.repeat(5000)}-`])
    expect((await get(path, owned({ range }))).status).toBe(200)
})

test('who has it already is told so, and goes on only with the same file', async () => {
  const etag = (await get(path, owned(), 'HEAD')).headers.get('etag')!
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const { status, bytes } = await get(path, owned({ 'if-none-match': known }))
    expect([status, bytes.length]).toEqual([304, 0])
  }
  expect((await get(path, owned({ 'if-none-match': '"other"' }))).status).toBe(200)
  expect((await get(path, owned({ range: 'bytes=0-9', 'if-range': etag }))).status).toBe(206)
  expect((await get(path, owned({ range: 'bytes=0-9', 'if-range': '"other"' }))).bytes.length).toBe(air.length)
  expect((await get(otherPath, owned(), 'HEAD')).headers.get('etag')).not.toBe(etag)
})

test('nobody else hears it, and nothing tells where it lies', async () => {
  const other = (await api.user('dj')).token
  expect((await get(path)).status).toBe(401)
  expect((await get(path, { authorization: `Bearer ${other}` })).status).toBe(404)
  expect((await get(`${path.slice(0, -5)}/url`, { authorization: `Bearer ${other}` })).status).toBe(404)
  const sha256 = (await api.stores.media.find(path.split('/')[3]!))!.sha256!
  const { headers } = await get(path, owned())
  const link = await api.call('GET', `${path.slice(0, -5)}/url`, { token: owner })
  for (const text of [JSON.stringify([...headers]), link.text])
    for (const part of [sha256, api.mediaPath]) expect(text).not.toContain(part)
})

test('a link opens one file of one piece to everybody, for as long as it says, and caches may keep it', async () => {
  const { body, headers } = await api.call('GET', `${path.slice(0, -5)}/url?expires_in_s=600`, { token: owner })
  expect(headers['cache-control']).toBe('no-store')
  const lastsS = (Date.parse(body.expires_at) - Date.now()) / 1000
  expect(lastsS).toBeGreaterThan(590)
  expect(lastsS).toBeLessThanOrEqual(901)
  const { pathname, searchParams } = new URL(body.url)
  const query = Object.fromEntries(searchParams) as { expires: string; signature: string }
  const follow = (to: string, changed: Record<string, string> = {}, more: Record<string, string> = {}) =>
    get(`${to}?${new URLSearchParams({ ...query, ...changed }).toString()}`, more)
  const opened = await follow(pathname, {}, { range: 'bytes=0-9' })
  expect([pathname, opened.status, opened.bytes.length]).toEqual([path, 206, 10])
  expect(opened.headers.get('cache-control')).toBe('public, max-age=300')
  expect(opened.headers.get('set-cookie')).toBeNull()

  const later = String(Number(query.expires) + 300)
  const signatures = ['', 'x', 'A'.repeat(43), query.signature.slice(1), `${query.signature}A`]
  const wrong = [
    await follow(otherPath),
    await follow(path.replace(/[0-9a-f]{4}\/file/, '0000/file')), // a piece that nobody has is refused in the same words
    await follow(pathname, { expires: later }),
    await follow(pathname, { expires: '1e99' }),
    ...(await Promise.all(signatures.map((signature) => follow(pathname, { signature })))),
    await get(`${pathname}?signature=${query.signature}`),
    await get(`${pathname}?expires=${query.expires}&signature=${query.signature}&signature=x`),
    await follow(pathname, { signature: 'x' }, owned()), // whoever asks
  ]
  for (const { status, bytes } of wrong)
    expect([status, JSON.parse(bytes.toString()).message]).toEqual([403, 'This link is wrong or has expired. Ask for another.'])

  const claim = { part: 'file', mediaId: path.split('/')[3]!, expiresAt: Math.floor(Date.now() / 1000) - 1 } as const
  const sha256 = (await api.stores.media.find(claim.mediaId))!.sha256!
  const signature = api.ports.mediaLinks.sign({ ...claim, isForAll: false, sha256 })
  expect((await follow(pathname, { expires: String(claim.expiresAt), signature })).status).toBe(403)
  for (const bad of ['0', '-5', '1.5', '99999999', 'x'])
    expect((await api.call('GET', `${path.slice(0, -5)}/url?expires_in_s=${bad}`, { token: owner })).status).toBe(400)
})

test('a link to what all might have ends when they may not any more; one that its owner gave away privately goes on, until the piece is deleted', async () => {
  const id = path.split('/')[3]!
  const stranger = (await api.user('listener')).token
  const put = async (fields: object) =>
    expect((await api.call('PUT', `/api/media/${id}`, { token: owner, body: fields })).status).toBe(200)
  const linkTo = async (part: string, token: string) => {
    const { pathname, search } = new URL((await api.call('GET', `/api/media/${id}/url?part=${part}`, { token })).body.url)
    return pathname + search
  }
  const own = [await linkTo('file', owner), await linkTo('original', owner)]
  await put({ public: 'public', downloadable: 'yes' })
  const given = [await linkTo('file', stranger), await linkTo('original', stranger), await linkTo('file', owner)]
  const etag = (await get(given[0]!)).headers.get('etag')!
  const answers = (links: string[]) => Promise.all(links.map(async (link) => (await get(link)).status))
  expect([await answers(own), await answers(given)]).toEqual([
    [200, 200],
    [200, 200, 200],
  ])
  await put({ downloadable: 'no' })
  expect(await answers(given)).toEqual([200, 403, 200])
  await put({ public: 'private' })
  expect([await answers(own), await answers(given)]).toEqual([
    [200, 200],
    [403, 403, 403],
  ])
  expect((await get(given[0]!, { 'if-none-match': etag })).status).toBe(403) // a cache that asks again
  await put({ public: 'public' })
  expect(await answers(given)).toEqual([200, 403, 200])
  await put({ public: 'private' })
  expect((await api.call('DELETE', `/api/media/${id}`, { token: owner })).status).toBe(204)
  expect(await answers(own)).toEqual([403, 403])
  await api.call('POST', '/api/media/trash/restore', { token: owner, body: { ids: [id] } })
  expect(await answers(own)).toEqual([200, 200])
})

test('the file as it came is its owner’s to give away, and what is public is heard by whoever is logged in', async () => {
  const id = path.split('/')[3]!
  const other = { authorization: `Bearer ${(await api.user('listener')).token}` }
  const at = (part: string) => `/api/media/${id}/${part}`
  const mine = await get(at('original'), owned())
  expect([mine.status, mine.headers.get('content-type')]).toEqual([200, 'audio/mpeg'])
  expect(mine.headers.get('content-disposition')).toMatch(/^attachment; /)
  expect(mine.bytes.equals(await readFile(join(home.path, '440.mp3')))).toBe(true)

  const now = (fields: string) => api.query(`UPDATE media SET ${fields} WHERE id = $1`, [id])
  const seen = async () => [(await get(at('file'), other)).status, (await get(at('original'), other)).status]
  expect(await seen()).toEqual([404, 404])
  await now(`visibility = 'public'`)
  expect(await seen()).toEqual([200, 403])
  expect((await get(`${at('url')}?part=original`, other)).status).toBe(403)
  await now('downloadable = true')
  expect(await seen()).toEqual([200, 200])
  expect((await get(at('file'))).status).toBe(401)
  await now(`visibility = 'private'`)
  expect(await seen()).toEqual([404, 404])
  for (const contentType of ['text/html', 'image/svg+xml', 'audio/mpeg; charset=x', '']) {
    await now(`content_type = '${contentType}'`)
    expect((await get(at('original'), owned())).headers.get('content-type')).toBe('application/octet-stream')
  }
  expect((await get(at('cover'), owned())).status).toBe(404) // it has none
})

test.each([
  ['a page', '<!doctype html><script>alert(1)</script>'],
  ['a picture that runs scripts', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'],
  ['a playlist', '#EXTM3U\n#EXTINF:1,x\nfile:///etc/passwd\n'],
  ['a list to concatenate', 'ffconcat version 1.0\nfile /etc/passwd\n'],
])('%s that says it is music is never served as what it is', async (_what, text) => {
  const { body } = await api.upload(owner, Buffer.from(text.padEnd(2000, ' ')), 'song.mp3', 'media_file', 'wait=0')
  for (const part of ['file', 'original', 'cover']) {
    const { status, headers } = await get(`/api/media/${body.id ?? 'none'}/${part}`, owned())
    expect([200, 404]).toContain(status)
    if (status === 404) continue
    expect(headers.get('content-type')).toBe('application/octet-stream')
    expect(headers.get('content-disposition')).toMatch(/^attachment/)
    expect([headers.get('x-content-type-options'), headers.get('content-security-policy')]).toEqual([
      'nosniff',
      "default-src 'none'; sandbox",
    ])
  }
})

test('a piece whose file is missing says so, and what else is served is as well as before', async () => {
  const sha256 = (await api.stores.media.find(otherPath.split('/')[3]!))!.sha256!
  await rm(join(api.mediaPath, sha256.slice(0, 2), `${sha256}.mp3`))
  const { status, bytes } = await get(otherPath, owned())
  expect([status, JSON.parse(bytes.toString()).error]).toEqual([503, 'MEDIA_MISSING'])
  expect((await get(path, owned())).status).toBe(200)
})
