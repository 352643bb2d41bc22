import { AppError } from '@skipcast/runtime'
import type { Session } from '../database.ts'

/** What the media of one user take, in bytes. */
export interface MediaUsage {
  /** Of all pieces, those in the trash too: of each the upload, or what is sent of it, if that is larger. */
  readonly usedBytes: number
  /** Announced by uploads that are not finished, and pictures that are kept for the work on them. */
  readonly pendingBytes: number
  /** null: no limit. */
  readonly allowedBytes: number | null
}

/** Reads what is used and allowed. `defaultBytes` is for who has no limit of their own; 0: none. */
export async function readUsage(session: Session, ownerId: string, defaultBytes: number): Promise<MediaUsage> {
  const [used, pending, user] = [
    await session.$queryRaw<{ bytes: bigint }[]>`
      SELECT coalesce(sum(greatest(file_size_bytes, size_bytes, 0)), 0)::bigint AS bytes FROM media WHERE owner_id = ${ownerId}`,
    await session.upload.aggregate({ where: { ownerId, mediaId: null, problem: null }, _sum: { sizeBytes: true } }),
    await session.user.findUnique({ where: { id: ownerId }, select: { mediaQuotaBytes: true } }),
  ]
  const allowedBytes = Number(user?.mediaQuotaBytes ?? defaultBytes)
  return {
    usedBytes: Number(used[0]!.bytes),
    pendingBytes: Number(pending._sum.sizeBytes ?? 0),
    allowedBytes: allowedBytes === 0 ? null : allowedBytes,
  }
}

/**
 * Throws QUOTA_EXCEEDED if so many bytes more are not allowed. Until the transaction ends nobody else adds to the media of this user, so that two at
 * once can't pass the limit together. `upload` is an announced one that these bytes are of: it counts no second time.
 */
export async function requireQuota(
  session: Session,
  added: { readonly ownerId: string; readonly sizeBytes: number; readonly upload?: { readonly sizeBytes: number } },
  defaultBytes: number,
): Promise<void> {
  const { ownerId, sizeBytes } = added
  await session.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${ownerId}, 2))`
  const { usedBytes, pendingBytes, allowedBytes } = await readUsage(session, ownerId, defaultBytes)
  if (allowedBytes === null) return
  const taken = usedBytes + pendingBytes - (added.upload?.sizeBytes ?? 0)
  if (taken + sizeBytes <= allowedBytes) return
  throw new AppError(
    'QUOTA_EXCEEDED',
    `Your media take ${taken} of ${allowedBytes} bytes, and this would add ${sizeBytes}. Delete something for good, or ask an administrator for more.`,
    { details: { used_bytes: taken, allowed_bytes: allowedBytes, added_bytes: sizeBytes } },
  )
}
