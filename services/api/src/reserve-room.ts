import { newId } from '@skipcast/db'
import type { ApiPorts } from './ports.ts'

/** A form takes no longer (`REQUEST_TIMEOUT_MS`), and its import neither. */
const LIFETIME_MS = 60 * 60_000

/**
 * Counts what is just being uploaded among what its owner's media take, until it is disposed of: two uploads at once can't pass the quota together. One whose
 * process dies counts for an hour. Rejects with QUOTA_EXCEEDED, CONFLICT (too many at once), DATABASE_UNAVAILABLE.
 */
export async function reserveRoom(
  { stores, settings }: Pick<ApiPorts, 'stores' | 'settings'>,
  ownerId: string,
  sizeBytes: number,
): Promise<AsyncDisposable> {
  const expiresAt = new Date(Date.now() + LIFETIME_MS)
  const reserved = { id: newId(), ownerId, fileName: '', sizeBytes, expiresAt }
  const { id } = await stores.uploads.create(reserved, settings.mediaQuotaBytes)
  return { [Symbol.asyncDispose]: () => stores.uploads.remove(id) }
}
