import { AppError, isAppError } from '@skipcast/runtime'
import type { S3Config } from '../config.ts'

/** What the client of the SDK throws, as far as we look into it. The rest has headers, and keys in them. */
interface SdkError {
  readonly name?: string
  readonly code?: string
  readonly message?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
}

const ABSENT = ['NoSuchKey', 'NotFound', 'NoSuchUpload']
/** Full, in the words of MinIO, Ceph and others. */
const FULL = ['XMinioStorageFull', 'StorageFull', 'QuotaExceeded', 'InsufficientStorage', 'XMinioAdminBucketQuotaExceeded']

/** There is no such object (or no such bucket, which the answer to HEAD does not tell apart). */
export function isAbsent(error: unknown): boolean {
  const { name = '' } = error as SdkError
  return ABSENT.includes(name)
}

/** The same as a failure of ours: MEDIA_MISSING, NO_SPACE or STORE_UNAVAILABLE, with what to do. */
export function refusal(error: unknown, { bucket, endpoint }: Pick<S3Config, 'bucket' | 'endpoint'>): AppError {
  if (isAppError(error)) return error
  const { name = '', code = '', message = '', $metadata } = error as SdkError
  const status = $metadata?.httpStatusCode
  // Not the error itself: nothing of its request may come into a log.
  const cause = new Error(`${name}${code && ` ${code}`}${status === undefined ? '' : ` (${status})`}: ${message}`.slice(0, 500))
  if (isAbsent(error)) return new AppError('MEDIA_MISSING', 'The media store has no such file; upload it again', { cause })
  if (status === 507 || FULL.includes(name))
    return new AppError('NO_SPACE', 'There is no space left for media. Nothing was kept; ask an operator to make room.', {
      cause,
    })
  const where = endpoint === undefined ? 'S3' : `The object store at ${new URL(endpoint).host}`
  const why =
    name === 'NoSuchBucket'
      ? `has no bucket ${bucket}: make it, or set S3_BUCKET`
      : status === 401 || status === 403
        ? `does not let us use the bucket ${bucket}: look at S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY, S3_REGION and what the key may do`
        : status === 301 || status === 307
          ? `has the bucket ${bucket} in another region: set S3_REGION`
          : 'does not answer as it should'
  return new AppError('STORE_UNAVAILABLE', `${where} ${why}.`, { cause })
}
