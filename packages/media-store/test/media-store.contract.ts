import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { measureFile } from '../src/measure.ts'
import { mediaKinds, type MediaKey, type MediaKind, type MediaStore } from '../src/media-store.ts'

/** What every media store does. `open` gives one that may hold whatever earlier tests left there. */
export function describeMediaStore(name: string, open: () => Promise<MediaStore>): void {
  describe(name, () => {
    let scratch: string
    let store: MediaStore
    beforeEach(async () => {
      scratch = await mkdtemp(join(tmpdir(), 'skipcast-store-'))
      store = await open()
    })
    afterEach(() => rm(scratch, { recursive: true }))

    /** A file of ours with such content, and the key that it belongs to. */
    async function file(content: Buffer, kind: MediaKind = 'air'): Promise<{ key: MediaKey; path: string }> {
      const path = join(scratch, randomBytes(6).toString('hex'))
      await writeFile(path, content, { mode: 0o600 })
      return { key: { kind, sha256: createHash('sha256').update(content).digest('hex') }, path }
    }
    const keysOf = async (kind: MediaKind) => (await Array.fromAsync(store.list(kind))).map(({ sha256 }) => sha256)

    test.each(mediaKinds)('keeps %s under their hash, and tells of them', async (kind) => {
      const { key, path } = await file(randomBytes(1000), kind)
      const content = await readFile(path)
      expect(await store.stat(key)).toBeNull()
      await store.put(key, path)
      await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
      const stored = await store.stat(key)
      expect(stored).toEqual({ ...key, sizeBytes: 1000, storedAt: expect.any(Date) })
      expect(await buffer(await store.open(key))).toEqual(content)
      expect(await Array.fromAsync(store.list(kind))).toContainEqual(stored)
      for (const other of mediaKinds) if (other !== kind) expect(await store.stat({ ...key, kind: other })).toBeNull()
    })

    test('takes the same again, also by two at once', async () => {
      const content = randomBytes(1000)
      const files = await Promise.all([file(content), file(content), file(content)])
      await store.put(files[0].key, files[0].path)
      await Promise.all(files.slice(1).map(({ key, path }) => store.put(key, path)))
      expect(await readdir(scratch)).toEqual([])
      expect(await buffer(await store.open(files[0].key))).toEqual(content)
      expect((await keysOf('air')).filter((sha256) => sha256 === files[0].key.sha256)).toHaveLength(1)
    })

    test('reads any part', async () => {
      const { key, path } = await file(randomBytes(300_000))
      const content = await readFile(path)
      await store.put(key, path)
      const part = async (first: number, last: number) => buffer(await store.open(key, { first, last }))
      expect(await part(0, 0)).toEqual(content.subarray(0, 1))
      expect(await part(100_000, 299_999)).toEqual(content.subarray(100_000))
      expect(await part(299_999, 299_999)).toEqual(content.subarray(-1))
    })

    test('keeps an empty file', async () => {
      const { key, path } = await file(Buffer.alloc(0), 'originals')
      await store.put(key, path)
      expect(await store.stat(key)).toMatchObject({ sizeBytes: 0 })
      expect(await buffer(await store.open(key))).toHaveLength(0)
    })

    test('keeps a file of 20 MB as it is, and copies it out', async () => {
      const { key, path } = await file(randomBytes(20 * 1024 ** 2), 'originals')
      await store.put(key, path)
      const copy = join(scratch, 'copy')
      await store.fetchTo(key, copy)
      expect(await measureFile(copy)).toEqual({ sha256: key.sha256, sizeBytes: 20 * 1024 ** 2 })
    })

    test('removes one object, and nothing else; twice does no harm', async () => {
      const [one, two] = [await file(randomBytes(10)), await file(randomBytes(10))]
      for (const { key, path } of [one, two]) await store.put(key, path)
      await store.remove(one.key)
      await store.remove(one.key)
      expect(await store.stat(one.key)).toBeNull()
      expect(await store.stat(two.key)).not.toBeNull()
      expect(await keysOf('air')).not.toContain(one.key.sha256)
    })

    test('says that there is no such object, and leaves nothing where it was to go', async () => {
      const key: MediaKey = { kind: 'air', sha256: 'a'.repeat(64) }
      await expect(store.open(key)).rejects.toMatchObject({ code: 'MEDIA_MISSING' })
      await expect(store.open(key, { first: 0, last: 5 })).rejects.toMatchObject({ code: 'MEDIA_MISSING' })
      await expect(store.fetchTo(key, join(scratch, 'copy'))).rejects.toMatchObject({ code: 'MEDIA_MISSING' })
      expect(await readdir(scratch)).toEqual([])
    })

    test.each(['', '../../etc/passwd', 'A'.repeat(64), `${'a'.repeat(64)}\n`, `${'a'.repeat(63)}/`, 'a'.repeat(65)])(
      'refuses %j as a hash',
      async (sha256) => {
        const key: MediaKey = { kind: 'air', sha256 }
        for (const attempt of [
          async () => store.open(key),
          async () => store.stat(key),
          async () => store.remove(key),
          async () => store.put(key, join(scratch, 'x')),
          async () => store.fetchTo(key, join(scratch, 'x')),
        ])
          await expect(attempt()).rejects.toThrow(RangeError)
      },
    )

    test('has nothing unfinished after all that', async () => {
      expect(await store.removeUnfinished(new Date(Date.now() + 60_000))).toBe(0)
    })
  })
}
