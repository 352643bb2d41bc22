import { backoff, isAppError } from '@skipcast/runtime'
import type { Absence, Files } from './domain/wanted.ts'
import { isHostTrouble } from './host-trouble.ts'
import type { Clock, MediaCache } from './ports.ts'
import type { Telemetry } from './telemetry.ts'

/** Files that are fetched at once. */
const PARALLEL_FETCHES = 4
const FIRST_WAIT_MS = 2000
const LONGEST_WAIT_MS = 60_000

/** Sees to it that wanted files get into the cache, in the background, so that nothing that runs waits for them. */
export interface MediaSupply {
  files(): Promise<Files>
  /** What is wanted now, the most urgent first; replaces what was wanted before. */
  want(hashes: readonly string[]): Promise<void>
}

/** `onArrival` is called after each file that came, or could not be had. */
export function mediaSupply(cache: MediaCache, options: { clock: Clock; onArrival: () => void; tell: Telemetry }): MediaSupply {
  const { clock, onArrival, tell } = options
  const failed = new Map<string, { wait: ReturnType<typeof backoff>; retryAt: number; why: Absence | null }>()
  const underWay = new Set<string>()
  let queue: string[] = []

  const fetch = async (sha256: string) => {
    underWay.add(sha256)
    try {
      await cache.fetch(sha256)
      failed.delete(sha256)
    } catch (error) {
      const wait = failed.get(sha256)?.wait ?? backoff({ firstMs: FIRST_WAIT_MS, mostMs: LONGEST_WAIT_MS })
      // While its host can't be reached, nothing is known of a file.
      const why = isHostTrouble(error) ? null : isAppError(error, 'NO_SPACE') ? 'DISK_FULL' : 'MEDIA_MISSING'
      if (why !== null && !failed.get(sha256)?.why) tell.mediaMissing(sha256, error)
      failed.set(sha256, { wait, retryAt: clock.steadyMs() + wait.next(), why })
    } finally {
      underWay.delete(sha256)
      onArrival()
      pump()
    }
  }

  const pump = () => {
    while (underWay.size < PARALLEL_FETCHES) {
      const next = queue.shift()
      if (next === undefined) return
      if (!underWay.has(next)) void fetch(next)
    }
  }

  return {
    files: async () => ({
      cached: await cache.list(),
      missing: new Map([...failed].flatMap(([sha256, { why }]) => (why === null ? [] : [[sha256, why] as const]))),
    }),
    async want(hashes) {
      const wanted = new Set(hashes)
      for (const sha256 of failed.keys()) if (!wanted.has(sha256)) failed.delete(sha256)
      const cached = await cache.list()
      queue = [...wanted].filter((sha256) => !cached.has(sha256) && !((failed.get(sha256)?.retryAt ?? 0) > clock.steadyMs()))
      pump()
    },
  }
}
