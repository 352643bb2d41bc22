import { randomUUID } from 'node:crypto'
import { constants, copyFile, link, open, readdir, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { noSpace, openFolder, orNoSpace } from '@skipcast/media-store'
import { makeDirectory, nullIfAbsent, pathIn, readFileIfThere } from '@skipcast/runtime'
import type { UploadFiles } from '../ports.ts'

const TAKEN = '.taken'
/** Beside the folder: its name, by which other machines know that it is not theirs. */
const PLACE = 'uploads.place'

/** The folder `uploads/` for what comes in parts, beside `incoming/`; it outlives a restart. API processes that share uploads share it, and its name. */
export async function uploadFiles(options: { path: string }): Promise<UploadFiles> {
  const root = resolve(options.path)
  await openFolder(root)
  const folder = await makeDirectory(join(root, 'uploads'), { mode: 0o711 })
  const place = await nameOf(root)
  const pathOf = (id: string) => pathIn(folder, id)
  const takenOf = (id: string) => pathIn(folder, id + TAKEN)
  return {
    place,

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
      await linkOrCopy(pathOf(id), path)
      return path
    },

    list: async () => (await readdir(folder)).filter((name) => !name.endsWith(TAKEN)),

    async remove(id) {
      await rm(takenOf(id), { force: true })
      await rm(pathOf(id), { force: true })
    },
  }
}

/** Made by the first process that asks; a link is there whole or not at all, and once. */
async function nameOf(root: string): Promise<string> {
  const path = join(root, PLACE)
  const known = await readFileIfThere(path)
  if (known !== null) return known
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, randomUUID(), { mode: 0o600 }).catch(orNoSpace)
  await linkOrCopy(draft, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await rm(draft)
  return await readFile(path, 'utf8')
}

/** Rejects with EEXIST, NO_SPACE. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPERM' && error.code !== 'ENOTSUP') throw error
    return copyFile(from, to, constants.COPYFILE_EXCL).catch(orNoSpace)
  })
}
