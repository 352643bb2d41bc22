import { MemoryLocker, type Lock, type Locker } from '@tus/server'
import type { SharedLocks } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'

/** So long a request waits for the one that has the upload; its client then comes again. */
const WAIT_MS = 3000
const locked = () => new AppError('LOCKED', 'Another request is at this upload. Ask again how much is there, and go on from it.')

/**
 * One request at a time is at an upload, of all processes: first among those of this process, then among the processes. Whoever holds it is told that another waits, as its
 * own connection may be dead. Rejects with LOCKED, DATABASE_UNAVAILABLE.
 */
export function uploadLocker(locks: SharedLocks): Locker {
  const ours = new MemoryLocker({ acquireLockTimeout: WAIT_MS })
  return {
    newLock(id): Lock {
      const own = ours.newLock(id)
      let shared: AsyncDisposable | null = null
      return {
        async lock(stop, requestRelease) {
          await own.lock(stop, requestRelease).catch(() => {
            throw locked()
          })
          try {
            shared = await locks.take(`upload ${id}`, { waitMs: WAIT_MS, stop, onWanted: () => void requestRelease() })
            if (!shared) throw locked()
          } catch (error) {
            await own.unlock()
            throw error
          }
        },
        async unlock() {
          await shared?.[Symbol.asyncDispose]()
          await own.unlock()
        },
      }
    },
  }
}
