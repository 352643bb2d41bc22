import { createReadStream, createWriteStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { AppError } from '@skipcast/runtime'
import type { S3Config } from '../config.ts'
import { checkRoom } from '../files.ts'
import { checkedHash, mediaKinds, type ByteRange, type MediaKey, type MediaStore } from '../media-store.ts'
import { isNoSpace } from '../no-space.ts'
import { isAbsent, refusal } from './s3-refusals.ts'

/** What is larger goes in parts of this size: so much memory an upload takes, times `PARTS_AT_ONCE`. */
const PART_BYTES = 8 * 1024 ** 2
const PARTS_AT_ONCE = 2
const CONNECT_TIMEOUT_MS = 5000
/** Nothing moved for so long. */
const IDLE_TIMEOUT_MS = 30_000
const MAX_SOCKETS = 50
const ATTEMPTS = 3
/** What is there and was put within this time is not sent again. */
const FRESH_MS = 3_600_000
const SILENT = { debug() {}, info() {}, warn() {}, error() {} }
const KEY = new RegExp(`^(${mediaKinds.join('|')})/([0-9a-f]{2})/(\\2[0-9a-f]{62})$`)

/**
 * A bucket of an S3-compatible object store: `<kind>/<first two hex>/<sha256>`. Needs the rights to read, write, list and delete objects. Beginning
 * it asks the bucket nothing. What a failure tells is our own text: it has neither keys nor headers in it.
 */
export function s3Store(config: S3Config): MediaStore {
  const { bucket: Bucket } = config
  const client = new S3Client({
    ...(config.endpoint !== undefined && { endpoint: config.endpoint }),
    region: config.region,
    forcePathStyle: config.forcePathStyle,
    credentials: { accessKeyId: config.accessKeyId, secretAccessKey: config.secretAccessKey },
    maxAttempts: ATTEMPTS,
    // Checksums in trailers are newer than many object stores; what is fetched is held against its hash anyway.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: IDLE_TIMEOUT_MS,
      httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
      httpsAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
    },
    logger: SILENT,
  })
  const refuse = (error: unknown): never => {
    throw refusal(error, config)
  }

  async function look(key: MediaKey) {
    const Key = nameOf(key)
    try {
      const { ContentLength, LastModified } = await client.send(new HeadObjectCommand({ Bucket, Key }))
      return { ...key, sizeBytes: ContentLength ?? 0, storedAt: new Date(LastModified ?? 0) }
    } catch (error) {
      return isAbsent(error) ? null : refuse(error)
    }
  }

  async function read(key: MediaKey, range?: ByteRange): Promise<{ body: Readable; sizeBytes: number }> {
    const Range = range && `bytes=${range.first}-${range.last}`
    const answer = await client.send(new GetObjectCommand({ Bucket, Key: nameOf(key), Range })).catch(refuse)
    return { body: answer.Body as Readable, sizeBytes: answer.ContentLength ?? 0 }
  }

  return {
    async put(key, path) {
      const Key = nameOf(key)
      const { size } = await stat(path)
      const there = await look(key)
      const isFresh = there?.sizeBytes === size && Date.now() - there.storedAt.getTime() < FRESH_MS
      if (!isFresh) {
        const Body = createReadStream(path, { highWaterMark: 1024 ** 2 })
        const upload = new Upload({ client, params: { Bucket, Key, Body }, partSize: PART_BYTES, queueSize: PARTS_AT_ONCE })
        await upload.done().catch(refuse)
        Body.destroy()
      }
      await rm(path)
    },

    open: async (key, range) => (await read(key, range)).body,
    stat: async (key) => look(key),

    async fetchTo(key, path, { reserveBytes } = { reserveBytes: 0 }) {
      const { body, sizeBytes } = await read(key)
      let isOurs = false
      try {
        await checkRoom(path, sizeBytes, reserveBytes)
        const file = createWriteStream(path, { flags: 'wx' })
        file.once('open', () => (isOurs = true))
        await pipeline(body, file)
      } catch (cause) {
        body.destroy()
        if (isOurs) await rm(path, { force: true })
        if (isNoSpace(cause)) throw new AppError('NO_SPACE', 'There is no space for another file on this server', { cause })
        refuse(cause)
      }
    },

    async remove(key) {
      await client.send(new DeleteObjectCommand({ Bucket, Key: nameOf(key) })).catch(refuse)
    },

    async *list(kind) {
      const pages = paginateListObjectsV2({ client }, { Bucket, Prefix: `${kind}/` })
      try {
        for await (const { Contents = [] } of pages)
          for (const { Key = '', Size = 0, LastModified } of Contents) {
            const sha256 = KEY.exec(Key)?.[3]
            if (sha256) yield { kind, sha256, sizeBytes: Size, storedAt: new Date(LastModified ?? 0) }
          }
      } catch (error) {
        refuse(error)
      }
    },

    async removeUnfinished(before) {
      let removed = 0
      let from: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {}
      while (from) {
        const page: ListMultipartUploadsCommandOutput = await client
          .send(new ListMultipartUploadsCommand({ Bucket, ...from }))
          .catch(refuse)
        for (const { Key = '', UploadId, Initiated } of page.Uploads ?? []) {
          if (!KEY.test(Key) || !Initiated || Initiated >= before) continue
          await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch((error: unknown) => {
            if (!isAbsent(error)) refuse(error) // it ended just now
          })
          removed += 1
        }
        from = page.IsTruncated ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : undefined
      }
      return removed
    },
  }
}

function nameOf(key: MediaKey): string {
  const sha256 = checkedHash(key)
  return `${key.kind}/${sha256.slice(0, 2)}/${sha256}`
}
