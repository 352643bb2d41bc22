import { AppError } from '@skipcast/runtime'
import type { Database } from '../database.ts'
import type { Upload as UploadRow } from '../generated/client.ts'
import { readUsage, requireQuota, type MediaUsage } from './quotas.ts'

/** A resumable upload. It has a `mediaId` once a piece was made of it, or a `problem` if none can be. */
export interface Upload {
  readonly id: string
  readonly ownerId: string
  readonly fileName: string
  readonly sizeBytes: number
  readonly createdAt: Date
  readonly expiresAt: Date
  /** Which folder its bytes are in, where they are kept between requests; empty: none. */
  readonly place: string
  readonly mediaId: string | null
  readonly problem: string | null
}

interface NewUpload {
  readonly id: string
  readonly ownerId: string
  readonly fileName: string
  readonly sizeBytes: number
  readonly expiresAt: Date
  /** A picture counts in bytes alone. Absent: a file. */
  readonly kind?: 'file' | 'picture'
  readonly place?: string
}

/** Unfinished files of one user. */
const MAX_UNFINISHED = 50
/** Who makes a piece of an upload for so long has died over it. */
const CLAIM_MS = 20 * 60_000

/** Resumable uploads, and what the media of users take. Every method may reject with DATABASE_UNAVAILABLE. */
export interface UploadStore {
  /** Announces one. Rejects with QUOTA_EXCEEDED, or CONFLICT when too many are unfinished. */
  create(upload: NewUpload, defaultQuotaBytes: number): Promise<Upload>
  find(id: string): Promise<Upload | null>
  /** Whether it is now the caller's to make a piece of it: nobody else is at it, and nobody has done it. */
  claim(id: string, now: Date): Promise<boolean>
  /** It is settled: a piece, or none for ever. */
  settle(id: string, end: { readonly mediaId: string } | { readonly problem: string }): Promise<void>
  /** Somebody else, or the same again, may claim it. */
  release(id: string): Promise<void>
  remove(id: string): Promise<void>
  /** Forgets those that have expired, settled or not. Resolves to how many. */
  forgetExpired(now: Date): Promise<number>
  usageOf(ownerId: string, defaultQuotaBytes: number): Promise<MediaUsage>
  /** null: as the installation says, 0: no limit. Rejects with NOT_FOUND. */
  setQuota(userId: string, bytes: number | null): Promise<void>
}

export function uploadStore(database: Database): UploadStore {
  return {
    create(upload, defaultQuotaBytes) {
      return database.transaction(async (session) => {
        await requireQuota(session, upload, defaultQuotaBytes)
        const { ownerId, kind = 'file' } = upload
        const unfinished = await session.upload.count({ where: { ownerId, kind: 'file', mediaId: null, problem: null } })
        if (kind === 'file' && unfinished >= MAX_UNFINISHED)
          throw new AppError('CONFLICT', `You have ${unfinished} unfinished uploads. Finish or delete one first.`)
        return toUpload(await session.upload.create({ data: upload }))
      })
    },

    async find(id) {
      const row = await database.run((client) => client.upload.findUnique({ where: { id } }))
      return row && toUpload(row)
    },

    async claim(id, now) {
      const isFree = { OR: [{ claimedAt: null }, { claimedAt: { lt: new Date(now.getTime() - CLAIM_MS) } }] }
      const where = { id, mediaId: null, problem: null, ...isFree }
      const { count } = await database.run((client) => client.upload.updateMany({ where, data: { claimedAt: now } }))
      return count === 1
    },

    async settle(id, end) {
      await database.run((client) => client.upload.updateMany({ where: { id }, data: { ...end, claimedAt: null } }))
    },

    async release(id) {
      await database.run((client) => client.upload.updateMany({ where: { id }, data: { claimedAt: null } }))
    },

    async remove(id) {
      await database.run((client) => client.upload.deleteMany({ where: { id } }))
    },

    async forgetExpired(now) {
      const { count } = await database.run((client) => client.upload.deleteMany({ where: { expiresAt: { lt: now } } }))
      return count
    },

    usageOf: (ownerId, defaultQuotaBytes) => database.run((client) => readUsage(client, ownerId, defaultQuotaBytes)),

    async setQuota(userId, bytes) {
      const data = { mediaQuotaBytes: bytes }
      const { count } = await database.run((client) => client.user.updateMany({ where: { id: userId, deletedAt: null }, data }))
      if (count === 0) throw new AppError('NOT_FOUND', 'There is no such user.')
    },
  }
}

function toUpload({ id, ownerId, fileName, sizeBytes, createdAt, expiresAt, place, mediaId, problem }: UploadRow): Upload {
  return { id, ownerId, fileName, sizeBytes: Number(sizeBytes), createdAt, expiresAt, place, mediaId, problem }
}
