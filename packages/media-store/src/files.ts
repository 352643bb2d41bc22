import { chmod, mkdir, open, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Makes a folder that everybody may look into, whatever the umask. */
export async function openFolder(path: string): Promise<void> {
  if (await mkdir(path, { recursive: true })) await chmod(path, 0o755)
}

/** Resolves when a file's content, or a folder's names, are on the disk. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r')
  await handle.sync().finally(() => handle.close())
}

/** Throws ENOSPC if so many bytes more would leave less than `reserveBytes` of the disk. */
export async function checkRoom(path: string, sizeBytes: number, reserveBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path))
  if (bavail * bsize - sizeBytes < reserveBytes) throw Object.assign(new Error('no room'), { code: 'ENOSPC' })
}
