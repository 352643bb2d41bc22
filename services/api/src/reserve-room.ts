import { newId } from '@skipcast/db'
import type { ApiPorts } from './ports.ts'

/**
 * How long something counts at most, unless it is disposed of before. A form takes no longer (`REQUEST_TIMEOUT_MS`), and its import neither; a picture is the sweep's after
 * a day, which looks each hour.
 */
const LIFETIMES_MS = { file: 60 * 60_000, picture: 25 * 60 * 60_000 } as const

/**
 * Counts what is being uploaded, or kept for a while, among what its owner's media take, until it is disposed of or its time has come: two at once can't pass the quota
 * together. Rejects with QUOTA_EXCEEDED, CONFLICT (too many files at once), DATABASE_UNAVAILABLE.
 */
export async function reserveRoom(
  { stores, settings }: Pick<ApiPorts, 'stores' | 'settings'>,
  ownerId: string,
  { kind, sizeBytes }: { readonly kind: 'file' | 'picture'; readonly sizeBytes: number },
): Promise<AsyncDisposable> {
  const expiresAt = new Date(Date.now() + LIFETIMES_MS[kind])
  const { id } = await stores.uploads.create(
    { id: newId(), ownerId, kind, fileName: '', sizeBytes, expiresAt },
    settings.mediaQuotaBytes,
  )
  return { [Symbol.asyncDispose]: () => stores.uploads.remove(id) }
}
