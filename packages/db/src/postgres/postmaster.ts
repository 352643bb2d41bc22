import { readdir, readlink, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { identify, readFileIfThere, type ProcessIdentity } from '@skipcast/runtime'

/**
 * The living postmaster of a data directory by its `postmaster.pid`, or null. Its number alone proves nothing, as numbers
 * are used again; but every process of PostgreSQL works in its data directory.
 */
export async function findPostmaster(dataDirectory: string): Promise<ProcessIdentity | null> {
  const text = await readFileIfThere(pidFile(dataDirectory))
  const pid = Number(text?.split('\n')[0])
  if (!Number.isInteger(pid) || pid < 2) return null
  return (await worksIn(pid, await realpath(dataDirectory))) ? identify(pid) : null
}

/**
 * Removes a `postmaster.pid` that would hold off a start although no postmaster lives: its number belongs to another process
 * by now, or to a zombie that nobody reaps. While a process still works in the directory (the rest of a killed server) the
 * file stays: it is what keeps two servers from one directory.
 */
export async function clearStalePidFile(dataDirectory: string): Promise<void> {
  const directory = await realpath(dataDirectory)
  for (const entry of await readdir('/proc')) {
    if (/^\d+$/.test(entry) && (await worksIn(Number(entry), directory))) return
  }
  await rm(pidFile(dataDirectory), { force: true })
}

async function worksIn(pid: number, directory: string): Promise<boolean> {
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => null) // a zombie has none
  return cwd === directory
}

function pidFile(dataDirectory: string): string {
  return join(dataDirectory, 'postmaster.pid')
}
