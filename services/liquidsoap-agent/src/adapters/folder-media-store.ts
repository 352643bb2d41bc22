import { constants } from 'node:fs'
import { copyFile, link } from 'node:fs/promises'
import { AppError, pathIn } from '@skipcast/runtime'

/** Where the files that channels play are kept, by content hash. */
export interface MediaStore {
  /** Puts the file at this path, which does not exist yet. Rejects with MEDIA_MISSING when the store has no such file or can't be reached. */
  fetch(sha256: string, toFile: string): Promise<void>
}

/** A folder of this machine or a network file system: `<first two hex>/<sha256>.mp3`. Costs no space where it can hard-link. */
export function folderMediaStore(directory: string): MediaStore {
  return {
    async fetch(sha256, toFile) {
      const file = pathIn(directory, sha256.slice(0, 2), `${sha256}.mp3`)
      try {
        await link(file, toFile).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'EXDEV' && error.code !== 'EPERM' && error.code !== 'EMLINK') throw error
          return copyFile(file, toFile, constants.COPYFILE_EXCL)
        })
      } catch (cause) {
        throw new AppError('MEDIA_MISSING', `The media store has no file ${sha256.slice(0, 12)}…; upload the track again`, {
          cause,
        })
      }
    },
  }
}
