import { existsSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { hostileStrings } from '@skipcast/testing'
import { somebody, type Somebody } from './access-world.ts'
import { testApi, type Answer, type TestApi } from './test-api.ts'

const COUNT = 150
const canary = join(tmpdir(), `skipcast-canary-library-${process.pid}`)
const strings = hostileStrings(11, COUNT, canary)
const TUS = { 'tus-resumable': '1.0.0' }

let api: TestApi
let dj: Somebody
let admin: Somebody

beforeAll(async () => {
  api = await testApi()
  ;[dj, admin] = await Promise.all([somebody(api, 'dj'), somebody(api, 'admin')])
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

/** Nothing is a 5xx, nobody is locked out, and no answer shows where it was made. */
async function ask(
  method: string,
  url: string,
  { by = dj, body, headers }: { by?: Somebody; body?: object; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const answer = await api.call(method, url, { token: by.session, ...(body && { body }), ...(headers && { headers }) })
  expect({
    url,
    body,
    headers,
    isOurs: answer.status < 500 && answer.status !== 401 && !answer.text.includes('node_modules'),
  }).toEqual({
    url,
    body,
    headers,
    isOurs: true,
  })
  return answer
}

test('A1, A11: whatever is written into the library is kept as text, or refused', async () => {
  const { channel, media } = dj.objects
  for (const text of strings) {
    const said = await ask('POST', `/api/channels/${channel}/reviews`, { body: { review: text } })
    if (said.status === 201) expect(said.body.review).toBe(text)
    else expect(said.status).toBe(400)
    const genre = await ask('POST', '/api/genres', { by: admin, body: { name: text } })
    if (genre.status === 201) {
      expect([genre.body.name, genre.body.slug]).toEqual([text, expect.stringMatching(/^[a-z0-9][a-z0-9-]*$/)])
      await ask('DELETE', `/api/genres/${genre.body.id}`, { by: admin })
    }
    const changed = await ask('PUT', `/api/media/${media}`, {
      body: { title: text, artist: text, album: text },
    })
    if (changed.status === 200) expect(changed.body.title).toBe(text)
  }
  expect(existsSync(canary)).toBe(false)
}, 120_000)

test('A5, A7: in paths, queries and headers of files, links and uploads it finds nothing', async () => {
  const { media } = dj.objects
  const { sha256 } = (await api.stores.media.find(media!))!
  const file = join(dirname(api.mediaPath), 'a-file')
  await writeFile(file, 'ten bytes.')
  await api.ports.mediaStore.put({ kind: 'air', sha256: sha256! }, file)
  const before = (await readdir(dirname(api.mediaPath))).toSorted()
  for (const text of strings) {
    const inUrl = encodeURIComponent(text.toWellFormed())
    const inHeader = text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 4000)
    for (const path of [
      `/api/media/${inUrl}/file`,
      `/api/media/uploads/${inUrl}`,
      `/api/account/sessions/${inUrl}`,
      `/api/channels/trash/view/${inUrl}`,
      `/api/channels?search=${inUrl}&genre=${inUrl}`,
      `/api/channels?privacy=${inUrl}&sort=${inUrl}`,
      `/api/media/${media}/file?expires=${inUrl}&signature=${inUrl}`,
      `/api/media/${media}/url?part=${inUrl}&expires_in_s=${inUrl}`,
    ]) {
      const { status, text: told } = await ask('GET', path)
      if (!path.startsWith('/api/channels?'))
        expect({ path, status, isRefused: status >= 400 }).toMatchObject({ isRefused: true })
      expect(told).not.toContain('root:')
    }
    const known = await ask('GET', `/api/media/${media}/file`, { headers: { range: inHeader, 'if-range': inHeader } })
    expect([200, 206, 416]).toContain(known.status)
    expect(known.headers['content-security-policy']).toContain('sandbox')
    const metadata = `filename ${Buffer.from(text).toString('base64')}`.slice(0, 4000)
    const begun = await ask('POST', '/api/media/uploads', {
      headers: { ...TUS, 'upload-length': '10', 'upload-metadata': metadata },
    })
    if (begun.status === 201) {
      expect(begun.headers['location']).toMatch(/^\/api\/media\/uploads\/[0-9a-f-]{36}$/)
      await ask('DELETE', String(begun.headers['location']), { headers: TUS })
    }
    for (const headers of [
      { ...TUS, 'upload-length': inHeader },
      { ...TUS, 'upload-length': '10', 'upload-metadata': inHeader },
      { 'tus-resumable': inHeader, 'upload-length': '10' },
    ]) {
      const odd = await ask('POST', '/api/media/uploads', { headers })
      if (odd.status === 201) await ask('DELETE', String(odd.headers['location']), { headers: TUS })
    }
  }
  expect((await readdir(dirname(api.mediaPath))).toSorted()).toEqual(before)
  expect(existsSync(canary)).toBe(false)
}, 180_000)
