import { createHash, randomBytes } from 'node:crypto'
import { readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { mediaKinds, type MediaKey, type MediaKind } from '@skipcast/media-store'
import { temporaryHome, toneFile } from '@skipcast/testing'
import { sweepMedia } from '../src/sweep-media.ts'
import { testApi, type TestApi } from './test-api.ts'

const DAY_MS = 86_400_000

let api: TestApi
beforeAll(async () => {
  api = await testApi()
}, 60_000)
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

/** A file in the store that no piece names, put so long ago. */
async function orphan(kind: MediaKind, ageMs: number): Promise<MediaKey> {
  const content = randomBytes(100)
  const key = { kind, sha256: createHash('sha256').update(content).digest('hex') }
  const path = join(api.mediaPath, key.sha256)
  await writeFile(path, content)
  await api.ports.mediaStore.put(key, path)
  const place = kind === 'air' ? [`${key.sha256}.mp3`] : [key.sha256]
  const at = (Date.now() - ageMs) / 1000
  await utimes(join(api.mediaPath, ...(kind === 'air' ? [] : [kind]), key.sha256.slice(0, 2), ...place), at, at)
  return key
}

test('files that no piece names go once they are a day old, and nothing else does', async () => {
  await using home = await temporaryHome()
  const { token } = await api.user('dj')
  const music = await readFile(await toneFile(join(home.path, 'tone.mp3'), { frequencyHz: 440, seconds: 1 }))
  const { id } = (await api.upload(token, music)).body
  const named = (await api.stores.media.find(id))!.sha256
  const old = await Promise.all(mediaKinds.map((kind) => orphan(kind, DAY_MS + 60_000)))
  const young = await Promise.all(mediaKinds.map((kind) => orphan(kind, DAY_MS - 60_000)))
  const isThere = async (key: MediaKey) => (await api.ports.mediaStore.stat(key)) !== null

  const swept = await sweepMedia(api.ports, Date.now())
  expect(swept).toMatchObject({ removed: old.length, removedBytes: old.length * 100 })
  expect(await Promise.all(old.map(isThere))).toEqual(old.map(() => false))
  expect(await Promise.all(young.map(isThere))).toEqual(young.map(() => true))

  await sweepMedia(api.ports, Date.now() + 2 * DAY_MS)
  expect(await Promise.all(young.map(isThere))).toEqual(young.map(() => false))
  expect(await isThere({ kind: 'air', sha256: named! })).toBe(true)
}, 30_000)

test('a pass ends early where another process leads by now, and what was put again meanwhile stays', async () => {
  const key = await orphan('air', 2 * DAY_MS)
  expect(await sweepMedia(api.ports, Date.now(), () => true)).toMatchObject({ removed: 0 })
  const fresh = { ...api.ports.mediaStore, stat: async () => ({ ...key, sizeBytes: 100, storedAt: new Date() }) }
  expect(await sweepMedia({ ...api.ports, mediaStore: fresh }, Date.now())).toMatchObject({ removed: 0 })
  expect(await sweepMedia(api.ports, Date.now())).toMatchObject({ removed: 1 })
})
