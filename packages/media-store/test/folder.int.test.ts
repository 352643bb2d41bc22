import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { folderStore } from '../src/adapters/folder.ts'
import { describeMediaStore } from './media-store.contract.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'skipcast-folder-'))
})
afterAll(() => rm(root, { recursive: true }))

describeMediaStore('a folder', async () => folderStore(join(root, 'media')))

const sha256 = 'b'.repeat(64)

test('a folder links where everybody may read, copies where not, and keeps the reserve of the disk where it copies', async () => {
  const store = folderStore(join(root, 'links'))
  const key = { kind: 'air', sha256 } as const
  await writeFile(join(root, 'file'), 'music')
  await store.put(key, join(root, 'file'))
  const place = join(root, 'links', 'bb', `${sha256}.mp3`)
  const full = { reserveBytes: Number.MAX_SAFE_INTEGER }
  await store.fetchTo(key, join(root, 'link'), full) // a link takes no room
  expect((await stat(join(root, 'link'))).ino).toBe((await stat(place)).ino)
  await chmod(place, 0o600)
  await expect(store.fetchTo(key, join(root, 'copy'), full)).rejects.toMatchObject({ code: 'NO_SPACE' })
  await store.fetchTo(key, join(root, 'copy'))
  expect((await stat(join(root, 'copy'))).ino).not.toBe((await stat(place)).ino)
})

test('a folder that is not there has nothing, and is not made by who only reads', async () => {
  const store = folderStore(join(root, 'absent'))
  expect(await Array.fromAsync(store.list('originals'))).toEqual([])
  expect(await store.stat({ kind: 'air', sha256 })).toBeNull()
  await expect(stat(join(root, 'absent'))).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a folder tells of nothing that is not an object, and removes what a killed process left half copied', async () => {
  const store = folderStore(join(root, 'litter'))
  const folder = join(root, 'litter', 'covers', 'bb')
  await mkdir(folder, { recursive: true })
  const draft = `.${sha256}.${randomBytes(4).toString('hex')}`
  for (const name of [draft, 'notes.txt', `${sha256}.mp3`]) await writeFile(join(folder, name), 'x')
  expect(await Array.fromAsync(store.list('covers'))).toEqual([])
  expect(await store.removeUnfinished(new Date(0))).toBe(0)
  expect(await store.removeUnfinished(new Date(Date.now() + 60_000))).toBe(1)
  expect(await readdir(folder)).not.toContain(draft)
})
