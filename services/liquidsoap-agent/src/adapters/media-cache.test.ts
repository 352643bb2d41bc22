import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { folderStore } from '@skipcast/media-store'
import { mediaCache } from './media-cache.ts'

let root: string
let cache: ReturnType<typeof mediaCache>

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'skipcast-cache-'))
  await mkdir(join(root, 'cache'))
  cache = mediaCache(join(root, 'cache'), folderStore(join(root, 'store')), { reserveBytes: 0 })
})
afterEach(() => rm(root, { recursive: true }))

async function store(content: string, sha256 = createHash('sha256').update(content).digest('hex')): Promise<string> {
  await mkdir(join(root, 'store', sha256.slice(0, 2)), { recursive: true })
  await writeFile(join(root, 'store', sha256.slice(0, 2), `${sha256}.mp3`), content)
  return sha256
}

describe('the media cache', () => {
  test('fetches a file once, however many ask at once', async () => {
    const sha256 = await store('music')
    await Promise.all([cache.fetch(sha256), cache.fetch(sha256), cache.fetch(sha256)])
    expect(await readFile(cache.pathOf(sha256), 'utf8')).toBe('music')
    expect(await cache.list()).toEqual(new Set([sha256]))
  })

  test('makes files readable to engines without touching the store', async () => {
    const [open, closed] = [await store('open'), await store('closed')]
    const stored = (sha256: string) => join(root, 'store', sha256.slice(0, 2), `${sha256}.mp3`)
    await chmod(stored(open), 0o644)
    await chmod(stored(closed), 0o600)
    await Promise.all([cache.fetch(open), cache.fetch(closed)])
    expect((await stat(cache.pathOf(open))).ino).toBe((await stat(stored(open))).ino)
    expect((await stat(cache.pathOf(closed))).mode & 0o777).toBe(0o644)
    expect((await stat(stored(closed))).mode & 0o777).toBe(0o600)
  })

  test('a file that the store lacks, or that is not what its name says, leaves nothing behind', async () => {
    await expect(cache.fetch('a'.repeat(64))).rejects.toMatchObject({ code: 'MEDIA_MISSING' })
    const damaged = await store('not that', 'b'.repeat(64))
    await expect(cache.fetch(damaged)).rejects.toMatchObject({ code: 'MEDIA_MISSING' })
    expect(await readdir(join(root, 'cache'))).toEqual([])
  })

  test('copies nothing that would take the last of the disk, and says that this is why', async () => {
    const [open, closed] = [await store('open'), await store('closed')]
    await chmod(join(root, 'store', closed.slice(0, 2), `${closed}.mp3`), 0o600)
    const full = mediaCache(join(root, 'cache'), folderStore(join(root, 'store')), { reserveBytes: Number.MAX_SAFE_INTEGER })
    await full.fetch(open) // a link takes no room
    await expect(full.fetch(closed)).rejects.toMatchObject({ code: 'NO_SPACE' })
    expect(await full.list()).toEqual(new Set([open]))
  })

  test('evicts what nobody wants, the least recently used first, and keeps what is wanted', async () => {
    const hashes = await Promise.all(['one', 'two', 'six'].map((content) => store(content)))
    for (const [age, sha256] of hashes.entries()) {
      await cache.fetch(sha256)
      await utimes(cache.pathOf(sha256), 1000 + age, 1000 + age)
    }
    await cache.evict(new Set([hashes[0]!]), { maxBytes: 6, freeBytes: 0 })
    expect(await cache.list()).toEqual(new Set([hashes[0], hashes[2]]))
    await cache.evict(new Set([hashes[0]!]), { maxBytes: 6, freeBytes: Number.MAX_SAFE_INTEGER })
    expect(await cache.list()).toEqual(new Set([hashes[0]]))
  })
})
