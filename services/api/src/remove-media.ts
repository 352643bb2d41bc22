import type { ApiPorts } from './ports.ts'

/**
 * Deletes a piece from the library and all playlists, then its file, unless another piece has the same. A crash in between leaves a file
 * that nobody names, never a name without a file. Rejects with NOT_FOUND, CONFLICT, DATABASE_UNAVAILABLE.
 */
export async function removeMedia({ stores, mediaStore }: ApiPorts, mediaId: string): Promise<void> {
  const { sha256 } = await stores.media.remove(mediaId)
  await stores.media.removeFileIfUnused(sha256, () => mediaStore.remove({ kind: 'air', sha256 }))
}
