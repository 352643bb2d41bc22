import { randomBytes } from 'node:crypto'
import { chownSync } from 'node:fs'
import { chown, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ChildUser } from './child-user.ts'

/**
 * Replaces a file as a whole: a reader sees the old text or the new, and a crash at any moment leaves one of them.
 * Returns after the bytes are on the disk. Default mode 0600.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Buffer,
  options: { mode?: number; owner?: ChildUser | undefined } = {},
): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const file = await open(temporary, 'wx', options.mode ?? 0o600)
  try {
    await file.writeFile(data)
    if (options.owner) await file.chown(options.owner.uid, options.owner.gid)
    await file.sync()
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  const directory = await open(dirname(path), 'r')
  await directory.sync().finally(() => directory.close())
}

/** The file's text, or null when there is none. Rejects with any other failure. */
export async function readFileIfThere(path: string): Promise<string | null> {
  return await readFile(path, 'utf8').catch(nullIfAbsent)
}

/** For the failures of whoever looks for a file or a directory: null where there is none. Throws any other. */
export function nullIfAbsent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw error
}

/** Makes a directory that only its owner may enter (default 0700), owned by the user that children run as, if any. */
export async function makeDirectory(
  path: string,
  options: { mode?: number; owner?: ChildUser | undefined } = {},
): Promise<string> {
  await mkdir(path, { recursive: true, mode: options.mode ?? 0o700 })
  if (options.owner) await chown(path, options.owner.uid, options.owner.gid)
  return path
}

/** Gives a file to the user that children run as; nothing to do where there is none. */
export function giveTo(owner: ChildUser | undefined, path: string): void {
  if (owner) chownSync(path, owner.uid, owner.gid)
}

/** A path below `directory`, from server-made parts only. Throws RangeError for a part that could leave the directory. */
export function pathIn(directory: string, ...parts: string[]): string {
  for (const part of parts) {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(part)) throw new RangeError('not a plain file name')
  }
  return join(directory, ...parts)
}
