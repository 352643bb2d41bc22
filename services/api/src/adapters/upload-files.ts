import { createWriteStream } from 'node:fs'
import { copyFile, link, open, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { noSpace, openFolder, orNoSpace } from '@skipcast/media-store'
import { makeDirectory, pathIn } from '@skipcast/runtime'
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
      const file = createWriteStream(pathOf(id), { flags: 'r+', start: fromByte })
      await pipeline(bytes, file).catch(orNoSpace)
      return fromByte + file.bytesWritten
    },

    async sizeOf(id) {
      return await stat(pathOf(id)).then(
        ({ size }) => size,
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return null
          throw error
        },
      )
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
