import { createHash, randomBytes } from 'node:crypto'
import { readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Channel } from '@skipcast/db'
import { mediaKinds, type MediaKey, type MediaKind } from '@skipcast/media-store'
import { silentLogger } from '@skipcast/runtime'
import { temporaryHome, toneFile } from '@skipcast/testing'
import { eraseAccounts } from '../src/erase-accounts.ts'
import { sweepMedia } from '../src/sweep-media.ts'
import { musicRecord, testApi, type TestApi } from './test-api.ts'
import { giveArtwork } from './test-artwork.ts'

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

async function channelOf(ownerId: string, artwork: string): Promise<Channel> {
  const fields = { name: 'x', slug: `x-${artwork.slice(0, 9)}`, description: '', mode: 'copy', bitrateKbps: 128 } as const
  const channel = await api.stores.channels.create({ ...fields, ownerId })
  await giveArtwork(api, channel.id, artwork)
  return channel
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

  const { token: admin } = await api.user('admin')
  const would = (await api.call('GET', '/api/media/sweep', { token: admin })).body
  expect(would).toMatchObject({ files: old.length, bytes: old.length * 100, complete: true })
  expect(await Promise.all(old.map(isThere))).toEqual(old.map(() => true))
  expect((await api.call('POST', '/api/media/sweep', { token: admin })).body).toEqual(would)
  expect(await Promise.all([...old, ...young].map(isThere))).toEqual([...old.map(() => false), ...young.map(() => true)])
  expect((await api.call('POST', '/api/media/sweep', { token: admin })).body).toMatchObject({ files: 0, complete: true })

  old.push(await orphan('covers', DAY_MS + 60_000))
  const swept = await sweepMedia(api.ports, Date.now())
  expect(swept).toMatchObject({ removed: 1, removedBytes: 100, isWhole: true })
  expect(await Promise.all(old.map(isThere))).toEqual(old.map(() => false))
  expect(await Promise.all(young.map(isThere))).toEqual(young.map(() => true))

  await sweepMedia(api.ports, Date.now() + 2 * DAY_MS)
  expect(await Promise.all(young.map(isThere))).toEqual(young.map(() => false))
  expect(await isThere({ kind: 'air', sha256: named! })).toBe(true)
}, 30_000)

test('the artwork of a channel stays, also in the trash, and with a piece of the same cover, until nothing names it', async () => {
  const { user } = await api.user('dj')
  const key = await orphan('covers', 2 * DAY_MS)
  const isThereAfterAPass = async () => {
    await sweepMedia(api.ports, Date.now())
    return (await api.ports.mediaStore.stat(key)) !== null
  }
  const channel = await channelOf(user.id, key.sha256)
  expect(await isThereAfterAPass()).toBe(true)
  await api.stores.channels.discard(channel)
  expect(await isThereAfterAPass()).toBe(true)
  const piece = await api.stores.media.add({ ...musicRecord(user.id), coverSha256: key.sha256 })
  await api.stores.channels.remove(channel.id)
  expect(await isThereAfterAPass()).toBe(true)
  await api.stores.media.change(piece.id, () => ({ coverSha256: null }))
  expect(await isThereAfterAPass()).toBe(false)
})

test('of somebody who is erased no artwork stays', async () => {
  const { user } = await api.user('dj')
  const key = await orphan('covers', 0)
  await channelOf(user.id, key.sha256)
  await api.stores.accounts.deleteUser(user.id, { erase: true })
  await eraseAccounts(api.ports, silentLogger())
  expect(await api.ports.mediaStore.stat(key)).toBeNull()
})

test('a pass ends early where another process leads by now, and what was put again meanwhile stays', async () => {
  const key = await orphan('air', 2 * DAY_MS)
  expect(await sweepMedia(api.ports, Date.now(), { isOver: () => true })).toMatchObject({ removed: 0 })
  const fresh = { ...api.ports.mediaStore, stat: async () => ({ ...key, sizeBytes: 100, storedAt: new Date() }) }
  expect(await sweepMedia({ ...api.ports, mediaStore: fresh }, Date.now())).toMatchObject({ removed: 0 })
  expect(await sweepMedia(api.ports, Date.now())).toMatchObject({ removed: 1 })
})
