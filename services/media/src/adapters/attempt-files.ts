import { rm } from 'node:fs/promises'
import { orNoSpace } from '@skipcast/media-store'
import { pathIn, readFileIfThere, writeFileAtomic } from '@skipcast/runtime'
import { z } from 'zod'
import type { Attempts } from '../ports.ts'

/** Attempts from before then do not count: somebody put the job back. */
const FORGOTTEN_AFTER_MS = 24 * 3_600_000

const noted = z.object({ attempts: z.int().min(0), at: z.number() })

/** One small file for each job that was begun and did not end, by the job's id. */
export function attemptFiles(directory: string, now: () => number): Attempts {
  const read = async (path: string) => {
    const found = noted.safeParse(JSON.parse((await readFileIfThere(path)) ?? 'null'))
    return found.success && found.data.at > now() - FORGOTTEN_AFTER_MS ? found.data.attempts : 0
  }
  return {
    async begin(jobId) {
      const path = pathIn(directory, jobId)
      const attempts = (await read(path).catch(() => 0)) + 1
      await writeFileAtomic(path, JSON.stringify({ attempts, at: now() })).catch(orNoSpace)
      return attempts
    },
    end: (jobId) => rm(pathIn(directory, jobId), { force: true }),
  }
}
