import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
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

const START_TIMEOUT_MS = 10_000
const RETRY_MS = 20

/**
 * Makes sure that each role of a home runs in one process only. A lock is the identity of its holder, so that a lock of
 * a killed process, or of one with the same number after a reboot, holds nobody off.
 * Rejects with CONFLICT, naming the holder.
 */
export async function lockRoles(home: Home, roles: ReadonlySet<Role>): Promise<AsyncDisposable> {
  const directory = await home.directory('run')
  await using _alone = await aloneIn(home)
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

/**
 * Looking and writing must not mix with another process's that starts at the same moment. A socket without a file is the lock between them: the kernel
 * gives it to one, and takes it back from a killed one. Rejects with CONFLICT.
 */
async function aloneIn(home: Home): Promise<AsyncDisposable> {
  const name = `\0skipcast-${createHash('sha256').update(home.path).digest('hex')}`
  const deadline = performance.now() + START_TIMEOUT_MS
  for (;;) {
    const server = createServer()
    const listening = once(server, 'listening')
    server.listen(name)
    try {
      await listening
      return { [Symbol.asyncDispose]: async () => void (await new Promise((closed) => server.close(closed))) }
    } catch (cause) {
      if (performance.now() > deadline)
        throw new AppError('CONFLICT', `Another process has been starting in ${home.path} for too long. See what it does.`, {
          cause,
        })
    }
    await sleep(RETRY_MS)
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
