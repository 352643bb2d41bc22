import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { sharedLocks } from '@skipcast/db'
import { silentLogger, waitFor } from '@skipcast/runtime'
import { uploadFiles } from '../src/adapters/upload-files.ts'
import { buildApp } from '../src/http/app.ts'
import { testApi, type TestApi } from './test-api.ts'

const PATH = '/api/media/uploads'
let api: TestApi
let token: string
let url: string

beforeAll(async () => {
  api = await testApi()
  token = (await api.user('dj')).token
  url = await api.app.listen({ host: '127.0.0.1', port: 0 })
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const tus = () => ({ authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' })
/** Begins one and resolves to its path. */
async function begun(sizeBytes: number): Promise<string> {
  const { headers } = await api.call('POST', PATH, { headers: { ...tus(), 'upload-length': String(sizeBytes) } })
  return String(headers['location'])
}
const patch = (offset: number, bytes = '') => ({
  method: 'PATCH' as const,
  headers: { ...tus(), 'content-type': 'application/offset+octet-stream', 'upload-offset': String(offset) },
  payload: Buffer.from(bytes),
})
const send = (path: string, offset: number, bytes: string) => api.app.inject({ url: path, ...patch(offset, bytes) })
const ask = (method: string, path: string) => api.call(method, path, { headers: tus() })
const idOf = (path: string) => path.split('/').at(-1)!
const bytesOf = (path: string) => join(api.mediaPath, 'uploads', idOf(path))

/** Another process of the API: its own memory, its own connection. */
async function another(mediaPath = api.mediaPath) {
  await using owned = new AsyncDisposableStack()
  const locks = owned.use(sharedLocks(api.database))
  const files = await uploadFiles({ path: mediaPath })
  const app = await buildApp({ ...api.ports, locks, uploadFiles: files }, { logger: silentLogger() })
  owned.defer(() => app.close())
  const stack = owned.move()
  return { app, locks, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

test('of two processes that share the folder one sends at a time: a connection that says nothing is given up for the next, and what it says later counts no more', async () => {
  await using other = await another()
  const path = await begun(200_000)
  const { payload: _, ...open } = patch(0)
  const dead = request(new URL(path, url), open)
  const answered = once(dead, 'response') as Promise<[IncomingMessage]>
  dead.write('a')
  const isThere = async () => (await api.ports.uploadFiles.sizeOf(idOf(path))) === 1
  await waitFor('its first byte', isThere, { timeoutMs: 10_000 })
  const late = await other.app.inject({ url: path, ...patch(0, 'b'.repeat(100_000)) })
  expect(late.statusCode).toBe(409) // one byte is there
  dead.on('error', () => {}).end('a'.repeat(99_999))
  expect((await answered)[0].statusCode).not.toBe(500)
  expect((await other.app.inject({ url: path, ...patch(1, 'b'.repeat(1000)) })).statusCode).toBe(204)
  expect(await readFile(bytesOf(path), 'utf8')).toBe(`a${'b'.repeat(1000)}`)
}, 30_000)

test('where another process does not give an upload up, the answer is 423, also to who asks how much is there', async () => {
  await using other = await another()
  const path = await begun(1000)
  const wish = { waitMs: 0, stop: AbortSignal.timeout(60_000), onWanted: () => {} }
  await using _held = await other.locks.take(`upload ${idOf(path)}`, wish)
  const [sent, seen, dropped] = await Promise.all([send(path, 0, 'a'), ask('HEAD', path), ask('DELETE', path)])
  expect([sent.statusCode, sent.json().error, seen.status, dropped.status]).toEqual([423, 'LOCKED', 423, 423])
  expect(sent.headers['retry-after']).toBe('2')
}, 30_000)

test('where the bytes are in the folder of another machine, that is said, which is no reason to begin anew; those that are lost are gone', async () => {
  await using elsewhere = await another(join(api.mediaPath, 'elsewhere'))
  const path = await begun(1000)
  await send(path, 0, 'a'.repeat(10))
  const answer = await elsewhere.app.inject({ url: path, ...patch(10, 'b') })
  expect([answer.statusCode, answer.json().error, answer.headers['retry-after']]).toEqual([503, 'UPLOAD_ELSEWHERE', '2'])
  expect((await elsewhere.app.inject({ url: path, method: 'HEAD', headers: tus() })).statusCode).toBe(503)
  expect((await ask('HEAD', path)).headers['upload-offset']).toBe('10')
  await rm(bytesOf(path))
  expect((await ask('HEAD', path)).status).toBe(410)
})
