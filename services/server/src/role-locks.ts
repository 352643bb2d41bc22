import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  AppError,
  identify,
  isAlive,
  pathIn,
  readFileIfThere,
  writeFileAtomic,
  type Home,
  type ProcessIdentity,
} from '@skipcast/runtime'
import type { Role } from './config.ts'

/**
 * Makes sure that each role of a home runs in one process only. A lock is the identity of its holder, so that a lock of
 * a killed process, or of one with the same number after a reboot, holds nobody off.
 * Rejects with CONFLICT, naming the holder.
 */
export async function lockRoles(home: Home, roles: ReadonlySet<Role>): Promise<AsyncDisposable> {
  const directory = await home.directory('run')
  const files = [...roles].map((role) => pathIn(directory, `${role}.json`))
  for (const file of files) {
    const holder = parseIdentity(await readFileIfThere(file))
    if (holder === null || holder.pid === process.pid || !isAlive(holder)) continue
    throw new AppError(
      'CONFLICT',
      `Skipcast already runs in ${home.path} (process ${holder.pid}). Stop it first, or give this one another home: SKIPCAST_HOME=./other`,
    )
  }
  for (const file of files) await writeFileAtomic(file, JSON.stringify(identify(process.pid)))
  return {
    async [Symbol.asyncDispose]() {
      for (const file of files) await rm(file, { force: true })
    },
  }
}

/** The living process that has a role of a home, or null. */
export async function holderOf(homePath: string, role: Role): Promise<ProcessIdentity | null> {
  const holder = parseIdentity(await readFileIfThere(join(homePath, 'run', `${role}.json`)))
  return holder !== null && isAlive(holder) ? holder : null
}

function parseIdentity(text: string | null): ProcessIdentity | null {
  try {
    return text === null ? null : (JSON.parse(text) as ProcessIdentity)
  } catch {
    return null // torn by a full disk: nobody's
  }
}
