import type { Readable } from 'node:stream'
import { DataStore, ERRORS, Server, Upload as TusUpload } from '@tus/server'
import { newId, type SharedLocks, type Upload, type UploadStore } from '@skipcast/db'
import { AppError, isAppError } from '@skipcast/runtime'
import { originalName } from '../domain/tags.ts'
import type { UploadFiles } from '../ports.ts'
import { uploadLocker } from './upload-locks.ts'

/** An upload that is not finished by then goes. */
const LIFETIME_MS = 24 * 3_600_000
const EXTENSIONS = ['creation', 'creation-with-upload', 'termination', 'expiration']
/** Whoever holds an upload whose connection is dead gives it up to the next who asks, after so long. */
const DRAIN_MS = 1000

export interface TusOptions {
  readonly rows: UploadStore
  readonly files: UploadFiles
  readonly locks: SharedLocks
  /** Where it is, without a slash at its end. */
  readonly path: string
  readonly maxBytes: number
  readonly quotaBytes: number
  /** Makes a piece of what has come whole, and resolves to its id. */
  finish(id: string): Promise<string>
}

/** Answers the requests of the protocol, for who makes an upload or owns the one that is named; rejects with an AppError, or with the protocol's own refusal as `TusRefusal`. */
export type TusHandler = (request: Request, actorId: string) => Promise<Response>

/** What the protocol (tus 1.0) says to a request that is not as it should be. */
export class TusRefusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'TusRefusal'
    this.status = status
  }
}

/**
 * Resumable uploads by tus 1.0:
 *
 *   POST ─► row (quota) + empty file       PATCH ─► bytes at the end of the file ─► whole: `finish`
 *   HEAD ─► how much is there              DELETE, or a day later ─► nothing
 *
 * How much is there is the size of the file: nothing else remembers it, so nothing can contradict it after a crash. Whose an upload is, is asked before.
 */
export function tusHandler(options: TusOptions): TusHandler {
  const { rows, files, maxBytes } = options
  const actors = new WeakMap<object, string>()
  const failures = new WeakMap<object, unknown>()

  const server = new Server({
    path: options.path,
    relativeLocation: true,
    maxSize: maxBytes,
    locker: uploadLocker(options.locks),
    lockDrainTimeout: DRAIN_MS,
    datastore: uploadData(rows, files),
    namingFunction: () => newId(),
    async onUploadCreate(request, upload) {
      const sizeBytes = upload.size ?? 0
      if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 1) throw new AppError('BAD_REQUEST', 'Upload-Length: must be 1 or more')
      const ownerId = actors.get(request)!
      const fileName = originalName(upload.metadata?.['filename'] ?? upload.metadata?.['name'] ?? '')
      const expiresAt = new Date(Date.now() + LIFETIME_MS)
      await rows.create({ id: upload.id, ownerId, fileName, sizeBytes, expiresAt, place: files.place }, options.quotaBytes)
      return { metadata: { filename: fileName } }
    },
    onUploadFinish: async (_request, { id }) => ({ headers: { 'Media-Location': `/api/media/${await options.finish(id)}` } }),
    onResponseError(request, error) {
      failures.set(request, error)
      return undefined
    },
  })

  return async (request, actorId) => {
    actors.set(request, actorId)
    const response = await server.handleWeb(request)
    const failure = failures.get(request)
    if (failure !== undefined) throw asRefusal(failure)
    if (response.status >= 400) throw new TusRefusal(response.status, (await response.text()).trim())
    return response
  }
}

/** The library's view of rows and files. */
function uploadData(rows: UploadStore, files: UploadFiles): DataStore {
  return Object.assign(new DataStore(), {
    extensions: EXTENSIONS,
    getExpiration: () => LIFETIME_MS,

    async create(upload: TusUpload): Promise<TusUpload> {
      await files.begin(upload.id, upload.size!).catch(async (error: unknown) => {
        await rows.remove(upload.id)
        throw error
      })
      return upload
    },

    async write(bytes: Readable, id: string, fromByte: number): Promise<number> {
      const row = await rows.find(id)
      if (row && row.mediaId !== null) return fromByte // all is there; who asks again never got the answer
      try {
        return await files.append(id, bytes, fromByte)
      } catch (error) {
        if (isAppError(error, 'NO_SPACE')) await remove(id)
        throw error
      }
    },

    async getUpload(id: string): Promise<TusUpload> {
      const row = await rows.find(id)
      if (!row) throw noUpload()
      if (row.problem !== null) throw new AppError('UNPROCESSABLE', row.problem)
      const offset = row.mediaId === null ? await files.sizeOf(id) : row.sizeBytes
      if (offset === null) throw row.place === files.place ? ERRORS.FILE_NO_LONGER_EXISTS : elsewhere()
      return toTus(row, offset)
    },

    remove,
  })

  async function remove(id: string): Promise<void> {
    await rows.remove(id)
    await files.remove(id)
  }
}

function toTus({ id, sizeBytes, fileName, createdAt }: Upload, offset: number): TusUpload {
  return new TusUpload({ id, size: sizeBytes, offset, metadata: { filename: fileName }, creation_date: createdAt.toISOString() })
}

/** Clients of the protocol try again after a 503; after a 404 or 410 they would begin anew. */
function elsewhere(): AppError {
  return new AppError('UPLOAD_ELSEWHERE', 'The bytes of this upload are on another server. Try again: its turn may be next.')
}

function noUpload(): AppError {
  return new AppError('NOT_FOUND', 'There is no such upload.')
}

function asRefusal(failure: unknown): unknown {
  const { status_code: status, body } = failure as { status_code?: number; body?: string }
  if (status === undefined || isAppError(failure)) return failure
  return new TusRefusal(status, (body ?? '').trim())
}
