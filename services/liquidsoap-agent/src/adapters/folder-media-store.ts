import { constants } from 'node:fs'
import { copyFile, link, stat } from 'node:fs/promises'
import { AppError, pathIn } from '@skipcast/runtime'
import type { MediaStore } from '../ports.ts'

/** A folder of this machine or a network file system: `<first two hex>/<sha256>.mp3`. Costs no space where it can hard-link. */
export function folderMediaStore(directory: string): MediaStore {
  return {
    async fetch(sha256, toFile) {
      const file = pathIn(directory, sha256.slice(0, 2), `${sha256}.mp3`)
      try {
        await ((await isReadableByAll(file)) ? linkOrCopy(file, toFile) : copy(file, toFile))
      } catch (cause) {
        throw new AppError('MEDIA_MISSING', `The media store has no file ${sha256.slice(0, 12)}…; upload the track again`, {
          cause,
        })
      }
    },
  }
}

/** A link has the mode of the file that it leads to, which is not ours to change. */
async function isReadableByAll(file: string): Promise<boolean> {
  return ((await stat(file)).mode & 0o004) !== 0
}

function linkOrCopy(file: string, toFile: string): Promise<void> {
  return link(file, toFile).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EXDEV' && error.code !== 'EPERM' && error.code !== 'EMLINK') throw error
    return copy(file, toFile)
  })
}

function copy(file: string, toFile: string): Promise<void> {
  return copyFile(file, toFile, constants.COPYFILE_EXCL)
}
