import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, openHome, type Home } from '@skipcast/runtime'

/** A home for one test, removed with all that is in it when disposed. */
export type TemporaryHome = Home & AsyncDisposable

/** Makes a fresh home in the system's temporary directory. Children that run as another user may pass through it (0711). */
export async function temporaryHome(): Promise<TemporaryHome> {
  const path = await mkdtemp(join(tmpdir(), 'skipcast-test-'))
  await chmod(path, 0o711)
  const home = await openHome(path)
  return {
    ...home,
    // Children that are just ending may still write.
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }),
  }
}

/** So many different TCP ports of loopback on which nobody listens now. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) ports.add(await freePort())
  return [...ports]
}
