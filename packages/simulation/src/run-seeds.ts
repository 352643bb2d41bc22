import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { RunResult } from './simulate.ts'
import type { Assignment } from './worker.ts'

export interface SeedRequest {
  readonly firstSeed: number
  readonly runs: number
  readonly isTraced?: boolean
  readonly mutant?: string | null
  readonly stopsAtFailure?: boolean
  readonly onLine?: (line: string) => void
  readonly onResult?: (result: RunResult) => void
}

/** Most threads: each has a product of its own in memory (150 MB). */
const MOST_WORKERS = 8

/** Runs seeds on all processors; results come in the order of their seeds. Rejects when a worker fails, which is a bug of the simulation's. */
export async function runSeeds(request: SeedRequest): Promise<RunResult[]> {
  const { firstSeed, runs, isTraced = false, mutant = null, stopsAtFailure = false } = request
  const workers = Math.min(runs, MOST_WORKERS, stopsAtFailure ? 1 : availableParallelism())
  const results = await Promise.all(
    Array.from({ length: workers }, (_, index) =>
      runWorker(request, {
        firstSeed: firstSeed + index,
        step: workers,
        count: Math.ceil((runs - index) / workers),
        isTraced,
        mutant,
        stopsAtFailure,
      }),
    ),
  )
  return results.flat().sort((a, b) => a.seed - b.seed)
}

function runWorker({ onLine, onResult }: SeedRequest, assignment: Assignment): Promise<RunResult[]> {
  return new Promise((resolve, reject) => {
    const results: RunResult[] = []
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: assignment })
    worker.on('message', (message: { line?: string; result?: RunResult }) => {
      if (message.line !== undefined) onLine?.(message.line)
      if (!message.result) return
      results.push(message.result)
      onResult?.(message.result)
    })
    worker.on('error', reject)
    worker.on('exit', (code) => (code === 0 ? resolve(results) : reject(new Error(`A worker ended with ${code}`))))
  })
}
