import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { CreateMultipartUploadCommand, PutObjectCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { freePort } from '@skipcast/runtime'
import { s3Store } from '../src/adapters/s3.ts'
import type { MediaKey } from '../src/media-store.ts'
import { s3Server, type S3Server } from '../src/testing/s3-server.ts'
import { describeMediaStore } from './media-store.contract.ts'

let server: S3Server
let scratch: string
beforeAll(async () => {
  server = await s3Server()
  scratch = await mkdtemp(join(tmpdir(), 'skipcast-s3-scratch-'))
}, 360_000)
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(scratch, { recursive: true })
})

describeMediaStore('a bucket', async () => s3Store(server.config))

const absent: MediaKey = { kind: 'air', sha256: 'c'.repeat(64) }

async function newFile(sizeBytes: number): Promise<{ key: MediaKey; path: string }> {
  const content = randomBytes(sizeBytes)
  const path = join(scratch, randomBytes(6).toString('hex'))
  await writeFile(path, content)
  return { key: { kind: 'air', sha256: createHash('sha256').update(content).digest('hex') }, path }
}

test('an object store that refuses our key, has no such bucket or is away is told apart, without telling the key', async () => {
  const secretAccessKey = 'Hush/that+nobody/reads'
  const cases = [
    [{ ...server.config, secretAccessKey }, /does not let us use.*S3_SECRET_ACCESS_KEY/],
    [{ ...server.config, bucket: 'nobody-made-it' }, /has no bucket nobody-made-it/],
    [{ ...server.config, endpoint: `http://127.0.0.1:${await freePort()}` }, /does not answer/],
  ] as const
  for (const [config, message] of cases) {
    const store = s3Store(config)
    const { key, path } = await newFile(100)
    for (const attempt of [
      () => store.open(absent),
      () => store.put(key, path),
      () => store.fetchTo(absent, join(scratch, 'x')),
    ]) {
      const error = await attempt().then(
        () => null,
        (thrown: unknown) => thrown,
      )
      expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringMatching(message) })
      expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/hush|authorization|signature=/i)
    }
    expect(await readdir(scratch)).toContain(path.split('/').at(-1)) // what could not be put is still its owner's
  }
}, 30_000)

test('what was put is there again when the object store comes back', async () => {
  const store = s3Store(server.config)
  const { key, path } = await newFile(100)
  await server.pause()
  await expect(store.put(key, path)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  await server.resume()
  await store.put(key, path)
  expect(await store.stat(key)).toMatchObject({ sizeBytes: 100 })
}, 60_000)

test('the reserve of the disk is kept, and a copy that does not fit leaves nothing', async () => {
  const store = s3Store(server.config)
  const { key, path } = await newFile(1000)
  await store.put(key, path)
  const before = await readdir(scratch)
  const full = { reserveBytes: Number.MAX_SAFE_INTEGER }
  await expect(store.fetchTo(key, join(scratch, 'copy'), full)).rejects.toMatchObject({ code: 'NO_SPACE' })
  expect(await readdir(scratch)).toEqual(before)
})

test('what a killed process left half sent goes, and what is not ours stays', async () => {
  const { endpoint, region, accessKeyId, secretAccessKey, bucket: Bucket } = server.config
  const credentials = { accessKeyId, secretAccessKey }
  const requestChecksumCalculation = 'WHEN_REQUIRED'
  const client = new S3Client({ endpoint: endpoint!, region, forcePathStyle: true, credentials, requestChecksumCalculation })
  for (const Key of [`air/cc/${absent.sha256}`, 'backups/ours.tar']) {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }))
    await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'x' }))
  }
  await client.send(new PutObjectCommand({ Bucket, Key: 'air/notes.txt', Body: 'x' }))
  client.destroy()
  const store = s3Store(server.config)
  expect(await store.removeUnfinished(new Date(Date.now() - 60_000))).toBe(0)
  expect(await store.removeUnfinished(new Date(Date.now() + 60_000))).toBe(1)
  expect(await store.removeUnfinished(new Date(Date.now() + 60_000))).toBe(0)
  expect((await Array.fromAsync(store.list('air'))).map(({ sha256 }) => sha256)).not.toContain(expect.stringContaining('notes'))
})
