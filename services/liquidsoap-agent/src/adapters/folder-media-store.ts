import { constants } from 'node:fs'
import { copyFile, link, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AppError, pathIn } from '@skipcast/runtime'
import type { MediaStore } from '../ports.ts'

/**
 * A folder of this machine or a network file system: `<first two hex>/<sha256>.mp3`. Costs no space where it can hard-link; where it must copy, it leaves
 * `reserveBytes` of the disk free.
 */
export function folderMediaStore(directory: string, { reserveBytes }: { reserveBytes: number }): MediaStore {
  return {
    async fetch(sha256, toFile) {
      const file = pathIn(directory, sha256.slice(0, 2), `${sha256}.mp3`)
      const copy = async () => {
        await checkRoom(file, toFile, reserveBytes)
        await copyFile(file, toFile, constants.COPYFILE_EXCL)
      }
      try {
        await ((await isReadableByAll(file)) ? linkOr(copy, file, toFile) : copy())
      } catch (cause) {
        if (isNoSpace(cause)) throw new AppError('NO_SPACE', 'There is no space for another file on this server', { cause })
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

function linkOr(copy: () => Promise<void>, file: string, toFile: string): Promise<void> {
  return link(file, toFile).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EXDEV' && error.code !== 'EPERM' && error.code !== 'EMLINK') throw error
    return copy()
  })
}

async function checkRoom(file: string, toFile: string, reserveBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(toFile))
  if (bavail * bsize - (await stat(file)).size < reserveBytes) throw Object.assign(new Error('no room'), { code: 'ENOSPC' })
}

function isNoSpace(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT'
}
