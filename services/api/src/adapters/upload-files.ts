import { copyFile, link, open, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { noSpace, openFolder, orNoSpace } from '@skipcast/media-store'
import { makeDirectory, nullIfAbsent, pathIn } from '@skipcast/runtime'
import type { UploadFiles } from '../ports.ts'

const TAKEN = '.taken'

/** The folder `uploads/` for what comes in parts, beside `incoming/`; it outlives a restart. API processes that share uploads share it. */
export async function uploadFiles(options: { path: string }): Promise<UploadFiles> {
  const root = resolve(options.path)
  await openFolder(root)
  const folder = await makeDirectory(join(root, 'uploads'), { mode: 0o711 })
  const pathOf = (id: string) => pathIn(folder, id)
  const takenOf = (id: string) => pathIn(folder, id + TAKEN)
  return {
    async begin(id, sizeBytes) {
      const { bavail, bsize } = await statfs(folder)
      if (bavail * bsize < sizeBytes) throw noSpace(new Error(`less than ${sizeBytes} bytes are free`))
      const file = await open(pathOf(id), 'wx', 0o600).catch(orNoSpace)
      await file.close()
    },

    async append(id, bytes, fromByte) {
      await using file = await open(pathOf(id), 'r+')
      let at = fromByte
      // Not a pipeline: it would end `bytes` with our failure, and who sent them would be told of that and not of the reason.
      const chunks: AsyncIterable<Buffer> = bytes.iterator({ destroyOnReturn: false })
      for await (const chunk of chunks) {
        for (let from = 0; from < chunk.length;) {
          const { bytesWritten } = await file.write(chunk, from, chunk.length - from, at).catch(orNoSpace)
          from += bytesWritten
          at += bytesWritten
        }
      }
      return at
    },

    async sizeOf(id) {
      const found = await stat(pathOf(id)).catch(nullIfAbsent)
      return found && found.size
    },

    async take(id) {
      const path = takenOf(id)
      await rm(path, { force: true })
      await link(pathOf(id), path).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPERM' && error.code !== 'ENOTSUP') throw error
        return copyFile(pathOf(id), path).catch(orNoSpace)
      })
      return path
    },

    list: async () => (await readdir(folder)).filter((name) => !name.endsWith(TAKEN)),

    async remove(id) {
      await rm(takenOf(id), { force: true })
      await rm(pathOf(id), { force: true })
    },
  }
}
