import { open, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, runCommand } from '@skipcast/runtime'

/** A disk of its own for a directory, small enough to be filled. */
export interface SmallDisk extends AsyncDisposable {
  /** Leaves no byte free. */
  fill(): Promise<void>
  /** Frees what `fill` took. */
  free(): Promise<void>
}

const SIZE = '512m'
const CHUNK = Buffer.alloc(1024 * 1024)
const COMMAND_TIMEOUT_MS = 10_000

/** Puts a disk in memory (tmpfs) in place of an empty directory. Resolves with why it can't be had: only root may, and not everywhere. */
export async function smallDisk(directory: string): Promise<SmallDisk | string> {
  try {
    const options = `size=${SIZE},mode=0711`
    await runCommand('mount', ['-t', 'tmpfs', '-o', options, 'skipcast-faults', directory], { timeoutMs: COMMAND_TIMEOUT_MS })
  } catch (error) {
    return `no disk of its own can be had here: ${messageOf(error)}`
  }
  const ballast = join(directory, 'ballast')
  return {
    async fill() {
      await using file = await open(ballast, 'a', 0o600)
      while ((await statfs(directory)).bavail > 0) {
        await file.write(CHUNK).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'ENOSPC') throw error
        })
      }
    },
    free: () => rm(ballast, { force: true }),
    // Lazily: something that was killed just now may still hold a file.
    [Symbol.asyncDispose]: async () => void (await runCommand('umount', ['-l', directory], { timeoutMs: COMMAND_TIMEOUT_MS })),
  }
}
