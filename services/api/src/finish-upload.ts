import { measureFile } from '@skipcast/media-store'
import { AppError, isAppError } from '@skipcast/runtime'
import { importFile } from './import-media.ts'
import type { ApiPorts } from './ports.ts'

/**
 * Makes a piece of an upload that has come whole, and resolves to its id. Done twice it gives the same; a crash in between leaves it to `sweepUploads`. What can never
 * become a piece is settled with the reason, and its bytes go; after any other failure it may be tried again.
 * Rejects with NOT_FOUND, CONFLICT (somebody is at it), and as `importFile` does.
 */
export async function finishUpload(ports: ApiPorts, id: string): Promise<string> {
  const { stores, uploadFiles } = ports
  const upload = await stores.uploads.find(id)
  if (!upload) throw new AppError('NOT_FOUND', 'There is no such upload.')
  if (upload.mediaId !== null) return upload.mediaId
  if (upload.problem !== null) throw new AppError('UNPROCESSABLE', upload.problem)
  if (!(await stores.uploads.claim(id, new Date())))
    throw new AppError('CONFLICT', 'This upload is being taken in; look again soon.')
  try {
    const path = await uploadFiles.take(id)
    const { media } = await importFile(ports, upload, { path, ...(await measureFile(path)) })
    await stores.uploads.settle(id, { mediaId: media.id })
    await uploadFiles.remove(id)
    return media.id
  } catch (error) {
    const isHopeless = isAppError(error) && error.kind.fault === 'caller' && !error.kind.retryable
    if (isHopeless) {
      await stores.uploads.settle(id, { problem: error.message })
      await uploadFiles.remove(id)
    } else await stores.uploads.release(id)
    throw error
  }
}

/**
 * Goes through the uploads on this machine: those that came whole are finished, whose process died before it did so; bytes of those that are settled,
 * deleted or expired go.
 */
export async function sweepUploads(ports: ApiPorts, now: Date, onFailed: (error: unknown) => void): Promise<void> {
  const { stores, uploadFiles } = ports
  await stores.uploads.forgetExpired(now)
  for (const id of await uploadFiles.list()) {
    const upload = await stores.uploads.find(id)
    const isOver = !upload || upload.mediaId !== null || upload.problem !== null
    if (isOver) await uploadFiles.remove(id)
    else if ((await uploadFiles.sizeOf(id)) === upload.sizeBytes) await finishUpload(ports, id).catch(onFailed)
  }
}
