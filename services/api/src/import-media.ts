import type { Media } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import { importJob } from './domain/media-job.ts'
import { originalName, titleOf } from './domain/tags.ts'
import type { ApiPorts } from './ports.ts'

/** A file that has come whole, in a place of its own; it is taken away from there. */
export interface ReceivedFile {
  readonly path: string
  readonly sha256: string
  readonly sizeBytes: number
}

/**
 * Takes in an uploaded file: to disk as it comes, then as `importFile`. Whatever goes wrong, nothing of it stays.
 * Rejects with TOO_LARGE, NO_SPACE, STORE_UNAVAILABLE, DATABASE_UNAVAILABLE, and with what `bytes` fail with.
 */
export async function importMedia(
  ports: ApiPorts,
  upload: { ownerId: string; fileName: string; bytes: AsyncIterable<Buffer> },
): Promise<{ readonly media: Media; readonly isNew: boolean }> {
  await using incoming = ports.incomingFiles.receive()
  const { sha256, sizeBytes } = await incoming.write(upload.bytes, ports.settings.mediaMaxBytes)
  return await importFile(ports, upload, { path: incoming.path, sha256, sizeBytes })
}

/**
 * Keeps a file by its content and asks the role media to make a piece of it. Who has such a piece already gets that one.
 * Rejects with NO_SPACE, STORE_UNAVAILABLE, DATABASE_UNAVAILABLE.
 */
export async function importFile(
  { stores, mediaStore, jobs }: Pick<ApiPorts, 'stores' | 'mediaStore' | 'jobs'>,
  { ownerId, fileName }: { ownerId: string; fileName: string },
  file: ReceivedFile,
): Promise<{ readonly media: Media; readonly isNew: boolean }> {
  const { sha256 } = file
  const key = { kind: 'originals', sha256 } as const
  const name = originalName(fileName)
  const record = {
    ownerId,
    title: titleOf(name),
    artist: '',
    album: '',
    originalName: name,
    originalSha256: sha256,
    fileSha256: sha256,
    fileSizeBytes: file.sizeBytes,
  }
  // Before the transaction: a large file takes longer to an object store than a transaction may. What nobody names after all is the sweep's.
  await mediaStore.put(key, file.path)
  return await stores.media.addUpload(
    record,
    (media) => importJob(jobs, media, sha256),
    async () => {
      if (!(await mediaStore.stat(key)))
        throw new AppError(
          'STORE_UNAVAILABLE',
          'This file was removed just now, with the last piece that had it. Upload it again.',
        )
    },
  )
}

/** Forgets a piece that could not be imported, and its file, unless another piece has the same. Rejects with DATABASE_UNAVAILABLE. */
export async function forgetFailed({ stores, mediaStore }: ApiPorts, { id, originalSha256: sha256 }: Media): Promise<void> {
  if (!(await stores.media.removeFailed(id))) return
  const file = { kind: 'originals', sha256 } as const
  await stores.media.removeFileIfUnused(file, () => mediaStore.remove(file))
}
