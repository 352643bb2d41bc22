import { messageOf, type Logger } from '@skipcast/runtime'
import { setTimeout as sleep } from 'node:timers/promises'

const AGAIN_AFTER_MS = 1000

export interface PartitionOffset {
  readonly partition: number
  /** Of the next record to hand out. */
  readonly offset: string
}

export interface Committer {
  /** Everything before this offset has had its effect. */
  mark(done: PartitionOffset): void
  /** Resolves once all marks are committed, or can't be; at once when the session `isLost`. */
  finish(isLost: boolean): Promise<void>
}

/**
 * Writes down what is done, one request at a time: marks that come meanwhile go together in the next. A commit that fails is tried
 * again; a session that is lost takes its marks with it, and the records come again.
 */
export function committer(commit: (offsets: PartitionOffset[]) => Promise<void>, logger: Logger): Committer {
  const marks = new Map<number, PartitionOffset>()
  const finishing = new AbortController()
  let running = Promise.resolve()
  let isRunning = false

  const run = async () => {
    while (marks.size > 0) {
      const offsets = [...marks.values()]
      marks.clear()
      try {
        await commit(offsets)
      } catch (error) {
        logger.debug({ problem: messageOf(error) }, 'offsets could not be committed yet')
        if (finishing.signal.aborted) break
        for (const done of offsets) if (!marks.has(done.partition)) marks.set(done.partition, done)
        await sleep(AGAIN_AFTER_MS, undefined, { signal: finishing.signal }).catch(() => undefined)
      }
    }
    isRunning = false
  }
  const start = () => {
    if (isRunning) return
    isRunning = true
    running = run()
  }

  return {
    mark(done) {
      marks.set(done.partition, done)
      start()
    },
    async finish(isLost) {
      if (isLost) marks.clear()
      finishing.abort()
      start()
      await running
    },
  }
}
