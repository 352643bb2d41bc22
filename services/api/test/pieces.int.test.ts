import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { runCommand, waitFor } from '@skipcast/runtime'
import { hostileStrings, temporaryHome, toneFile, type TemporaryHome } from '@skipcast/testing'
import { mediaKeeping } from '../src/keep-media.ts'
import { testApi, type Answer, type TestApi } from './test-api.ts'
import { picture, putPicture } from './test-pictures.ts'

let api: TestApi
let home: TemporaryHome
let token: string
let stranger: string
let file: Buffer

beforeAll(async () => {
  api = await testApi()
  home = await temporaryHome()
  token = (await api.user('dj')).token
  stranger = (await api.user('dj')).token
  file = await readFile(
    await toneFile(join(home.path, 'tone.flac'), { frequencyHz: 440, seconds: 4, title: 'Tone', artist: 'Me' }),
  )
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const call = (method: string, path: string, body?: object, as = token) =>
  api.call(method, path, { token: as, ...(body && { body }) })
let uploads = 0
const piece = async () => (await api.upload(token, Buffer.concat([file, Buffer.from(`#${uploads++}`)]), 'tone.flac')).body

/** The newest job of a kind, once it has ended. */
async function ended(id: string, kind: string): Promise<Answer['body']> {
  return waitFor(
    `the job ${kind}`,
    async () => {
      const { data } = (await call('GET', `/api/media/${id}/jobs`)).body
      const job = data.find((each: { kind: string }) => each.kind === kind)
      return job && ['done', 'failed'].includes(job.state) && job
    },
    { timeoutMs: 30_000, everyMs: 20 },
  )
}

test('what is made of pieces must fit into what their owner may have, several at once too', async () => {
  const { user, token: owner } = await api.user('dj')
  const { id, size_bytes: sent, file: uploaded } = (await api.upload(owner, file, 'tone.flac')).body
  const usage = async () => (await call('GET', '/api/media/usage', undefined, owner)).body.used_bytes
  const used = await usage()
  expect(used).toBe(Math.max(sent, uploaded.size_bytes)) // silence is small as FLAC, and large as what is sent of it
  await api.stores.uploads.setQuota(user.id, Math.ceil(used + 1.5 * uploaded.size_bytes))
  const cuts = [1000, 2000, 3000].map((to_ms) => call('POST', `/api/media/${id}/trim`, { from_ms: 0, to_ms }, owner))
  const answers = await Promise.all(cuts)
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 413, 413])
  expect(answers.find(({ status }) => status === 413)!.body).toMatchObject({ error: 'QUOTA_EXCEEDED' })
  const wav = await call('POST', `/api/media/${id}/convert`, { format: 'wav' }, owner)
  expect([wav.status, wav.body.error]).toEqual([413, 'QUOTA_EXCEEDED'])

  await api.stores.uploads.setQuota(user.id, used)
  await call('DELETE', `/api/media/${id}`, undefined, owner)
  const before = await usage()
  expect((await call('DELETE', `/api/media/trash/view/${id}`, undefined, owner)).status).toBe(204)
  expect((await call('GET', `/api/media/trash/view/${id}`, undefined, owner)).status).toBe(404)
  expect(await usage()).toBe(before - used)
})

async function download(id: string, as = token) {
  const response = await api.app.inject({
    method: 'GET',
    url: `/api/media/${id}/original`,
    headers: { authorization: `Bearer ${as}` },
  })
  return { status: response.statusCode, headers: response.headers, bytes: response.rawPayload }
}

async function tagsOf(bytes: Buffer): Promise<{ tags: Record<string, string>; pictures: number; duration: number }> {
  const path = join(home.path, `downloaded-${uploads++}`)
  await writeFile(path, bytes)
  const { stdout } = await runCommand('ffprobe', ['-v', 'error', '-show_format', '-show_streams', '-of', 'json', path], {
    timeoutMs: 20_000,
  })
  const { format, streams } = JSON.parse(stdout.toString())
  const tags = Object.entries({ ...streams[0].tags, ...format.tags }).map(([name, value]) => [
    name.toLowerCase(),
    value as string,
  ])
  const pictures = streams.filter((each: { codec_type: string }) => each.codec_type === 'video').length
  return { tags: Object.fromEntries(tags), pictures, duration: Number(format.duration) }
}

const putCover = (id: string, image: Blob, field = 'cover') => putPicture(api, token, `/api/media/${id}/cover`, image, field)

test('what a piece is called is changed at once, and its file follows', async () => {
  const { id } = await piece()
  const wish = {
    title: 'New $(title)',
    artist: '',
    album: 'Ålbum',
    year: '1999',
    track: 7,
    public: 'public',
    downloadable: 'yes',
  }
  const { status, body } = await call('PUT', `/api/media/${id}`, wish)
  expect([status, body]).toEqual([200, expect.objectContaining(wish)])
  expect((await ended(id, 'retag')).state).toBe('done')
  const { headers, bytes } = await download(id)
  expect(headers).toMatchObject({ 'content-type': 'audio/flac', 'x-content-type-options': 'nosniff' })
  expect(headers['content-disposition']).toMatch(/^attachment; .*\.flac"/)
  const { tags } = await tagsOf(bytes)
  expect(tags).toMatchObject({ title: 'New $(title)', album: 'Ålbum', date: '1999', track: '7' })
  expect(tags['artist']).toBeUndefined()
  expect((await call('GET', `/api/media/${id}`)).body.file.size_bytes).toBe(bytes.length)
})

test('A1: titles that are hostile are refused, or text in a file and nowhere else', async () => {
  const { id } = await piece()
  for (const title of hostileStrings(7, 12)) {
    const { status, body } = await call('PUT', `/api/media/${id}`, { title })
    expect([200, 400]).toContain(status)
    if (status === 200) expect(body.title).toBe(title)
  }
  const { title } = (await call('GET', `/api/media/${id}`)).body
  await waitFor(
    'the file to have the last title',
    async () => (await tagsOf((await download(id)).bytes)).tags['title']?.trim() === title.trim(),
    { timeoutMs: 60_000, everyMs: 200 },
  )
}, 90_000)

/** A piece that nobody changes. */
let steady: ReturnType<typeof piece> | undefined

test.each([
  [{ title: '' }],
  [{ title: 'a\nb' }],
  [{ year: '99' }],
  [{ track: -1 }],
  [{ track: 1.5 }],
  [{ public: 'yes' }],
  [{ downloadable: true }],
  [{ sha256: 'a'.repeat(64) }],
  [{ cue_in_ms: 10_000_000 }],
])('a piece can not become %j', async (wish) => {
  const { id } = await (steady ??= piece())
  expect((await call('PUT', `/api/media/${id}`, wish)).status).toBe(400)
})

test('a cover is taken, goes into the file, and is taken off again', async () => {
  const { id } = await piece()
  expect((await call('GET', `/api/media/${id}/cover`)).status).toBe(404)
  for (const ending of ['png', 'jpg', 'webp', 'gif']) {
    expect((await putCover(id, await picture(home, ending))).status).toBe(202)
    expect((await ended(id, 'cover')).state).toBe('done')
  }
  expect((await ended(id, 'retag')).state).toBe('done')
  const cover = await api.app.inject({
    method: 'GET',
    url: `/api/media/${id}/cover`,
    headers: { authorization: `Bearer ${token}` },
  })
  expect([cover.headers['content-type'], cover.rawPayload.subarray(0, 3).toString('hex')]).toEqual(['image/jpeg', 'ffd8ff'])
  expect((await tagsOf((await download(id)).bytes)).pictures).toBe(1)
  expect((await call('DELETE', `/api/media/${id}/cover`)).body.has_cover).toBe(false)
  await waitFor('the file without it', async () => (await tagsOf((await download(id)).bytes)).pictures === 0, {
    timeoutMs: 30_000,
  })
}, 90_000)

test('what became of work is told for a week; a job that is read again after that is done again, and changes nothing', async () => {
  const { id } = await piece()
  const [row] = await api.query<{ message: object }>('SELECT message FROM media_jobs WHERE media_id = $1', [id])
  await call('PUT', `/api/media/${id}`, { title: 'Mine' })
  await ended(id, 'retag')
  const pass = mediaKeeping(api.stores, { trashDays: 30, busForgets: false }, Date.now())
  await pass(Date.now())
  expect((await call('GET', `/api/media/${id}/jobs`)).body.data).toHaveLength(2)
  await api.query(`UPDATE media_jobs SET updated_at = now() - interval '8 days' WHERE media_id = $1`, [id])
  await pass(Date.now())
  expect((await call('GET', `/api/media/${id}/jobs`)).body.data).toEqual([])

  const before = (await call('GET', `/api/media/${id}`)).body
  await api.query(`INSERT INTO outbox (topic, key, payload) VALUES ('mediaJobs', $1, $2)`, [id, row!.message])
  await call('PUT', `/api/media/${id}`, { album: 'Ours' }) // done after it, as both are about one piece
  await ended(id, 'retag')
  const { file: _, ...after } = (await call('GET', `/api/media/${id}`)).body
  expect({ ...after, file: before.file }).toEqual({ ...before, album: 'Ours' })
})

test('what is no picture, or too large, becomes no cover', async () => {
  const { id } = await piece()
  expect((await putCover(id, new Blob(['<svg onload="alert(1)"/>']))).status).toBe(202)
  expect(await ended(id, 'cover')).toMatchObject({ state: 'failed', problem: expect.stringMatching(/no picture/) })
  expect((await putCover(id, new Blob([new Uint8Array(2 * 1024 ** 2 + 1)]))).body.error).toBe('TOO_LARGE')
  expect((await putCover(id, await picture(home, 'png'), 'other')).status).toBe(400)
  expect((await call('GET', `/api/media/${id}`)).body).toMatchObject({ has_cover: false, state: 'ready' })
})

test('a part of a piece, and the same in another format, are pieces of their own', async () => {
  const { id } = await piece()
  const cut = await call('POST', `/api/media/${id}/trim`, { from_ms: 1000, to_ms: 3000 })
  const converted = await call('POST', `/api/media/${id}/convert`, { format: 'mp3' })
  expect([cut.status, cut.body.state, converted.status]).toEqual([201, 'processing', 201])
  for (const made of [cut.body.id, converted.body.id]) expect((await ended(made, 'derive')).state).toBe('done')
  const { body: part } = await call('GET', `/api/media/${cut.body.id}`)
  expect(part).toMatchObject({ state: 'ready', title: 'Tone', artist: 'Me', file: { codec: 'flac', content_type: 'audio/flac' } })
  expect(Math.abs(part.duration_ms - 2000)).toBeLessThan(100)
  expect((await call('GET', `/api/media/${converted.body.id}`)).body.file).toMatchObject({
    codec: 'mp3',
    content_type: 'audio/mpeg',
  })
  expect((await call('GET', `/api/media/${id}/waveform`)).body).toMatchObject({ version: 2, bits: 8 })
  for (const wish of [{ from_ms: 3000, to_ms: 1000 }, { from_ms: 99_999 }, { from_ms: 0, to_ms: 99_999 }, { to_ms: 0 }])
    expect([wish, (await call('POST', `/api/media/${id}/trim`, wish)).status]).toEqual([wish, 400])
  expect((await call('POST', `/api/media/${id}/convert`, { format: 'concat' })).status).toBe(400)
}, 60_000)

test('public pieces of others are read, listed and attached; their files only where they are given away', async () => {
  const { id } = await piece()
  const seen = async () =>
    (await call('GET', '/api/media?of=public&search=Tone', undefined, stranger)).body.data.map((each: { id: string }) => each.id)
  expect((await call('GET', `/api/media/${id}`, undefined, stranger)).status).toBe(404)
  expect(await seen()).not.toContain(id)
  await call('PUT', `/api/media/${id}`, { public: 'public' })
  expect(await seen()).toContain(id)
  expect((await call('GET', `/api/media/${id}`, undefined, stranger)).status).toBe(200)
  expect((await call('PUT', `/api/media/${id}`, { title: 'Mine' }, stranger)).status).toBe(404)
  expect((await call('POST', `/api/media/${id}/trim`, { from_ms: 1 }, stranger)).status).toBe(404)
  const { channel } = (await call('POST', '/api/channels', { name: 'Theirs' }, stranger)).body
  expect((await call('POST', `/api/channels/${channel.id}/media`, { media_ids: [id] }, stranger)).status).toBe(200)
  expect((await download(id, stranger)).status).toBe(403)
  expect((await call('GET', `/api/media/${id}/url?part=original`, undefined, stranger)).status).toBe(403)
  await call('PUT', `/api/media/${id}`, { downloadable: 'yes' })
  expect((await download(id, stranger)).status).toBe(200)
  expect((await call('GET', '/api/media?state=failed', undefined, stranger)).body.total).toBe(0)
  expect((await call('GET', '/api/media?kind=video')).body.total).toBe(0)
})

test('a piece is put on and taken off several channels at once, of one’s own alone', async () => {
  const { id } = await piece()
  const own = await Promise.all(['a', 'b'].map(async (name) => (await call('POST', '/api/channels', { name })).body.channel.id))
  const foreign = (await call('POST', '/api/channels', { name: 'c' }, stranger)).body.channel.id
  const path = `/api/media/${id}/channels`
  const refused = await call('POST', path, { channel_ids: [...own, foreign] })
  expect([refused.status, refused.body.details]).toEqual([404, { channel_ids: [foreign] }])
  expect((await call('GET', `/api/channels/${own[0]}/media`)).body.total).toBe(0)
  expect((await call('POST', path, { channel_ids: own })).body.channels.map((each: { id: string }) => each.id)).toEqual(own)
  expect((await call('GET', `/api/channels/${own[1]}/media`)).body.total).toBe(1)
  expect((await call('DELETE', path, { channel_ids: own })).status).toBe(200)
  expect((await call('GET', `/api/channels/${own[1]}/media`)).body.total).toBe(0)
})

test('a deleted piece is in the trash of its owner, and comes back to its places', async () => {
  const { id } = await piece()
  const { channel } = (await call('POST', '/api/channels', { name: 'Trashy' })).body
  await call('POST', `/api/channels/${channel.id}/media`, { media_ids: [id] })
  expect((await call('DELETE', `/api/media/${id}`)).status).toBe(204)
  expect((await call('GET', `/api/media/${id}`)).status).toBe(404)
  expect((await call('GET', `/api/channels/${channel.id}/media`)).body.total).toBe(0)
  const { data } = (await call('GET', `/api/media/trash/view/${id}`)).body
  expect(Date.parse(data.removed_at) - Date.parse(data.deleted_at)).toBe(30 * 86_400_000)
  expect((await call('GET', '/api/media/trash/view')).body.data.map((each: { id: string }) => each.id)).toContain(id)
  expect((await call('GET', `/api/media/trash/view/${id}`, undefined, stranger)).status).toBe(404)
  expect((await call('POST', '/api/media/trash/restore', { ids: [id] }, stranger)).body).toMatchObject({
    restored: [],
    failed: [id],
  })
  const restored = await call('POST', '/api/media/trash/restore', { ids: [id, channel.id] })
  expect(restored.body).toMatchObject({ message: '1 of 2 media restored', restored: [{ id }], failed: [channel.id] })
  expect((await call('GET', `/api/channels/${channel.id}/media`)).body.data).toMatchObject([{ id }])
})
