import { parentPort, workerData } from 'node:worker_threads'
import { installVirtualTime } from './kernel/virtual-time.ts'
import type { World } from './kernel/world.ts'
import { plant } from './mutants.ts'
import type { RunResult } from './simulate.ts'

/** What a worker is told, and what it tells: one RunResult after the other, in the order of its seeds. */
export interface Assignment {
  readonly firstSeed: number
  readonly step: number
  readonly count: number
  readonly isTraced: boolean
  readonly mutant: string | null
  /** With a bug planted: no further run is needed once one has found it. */
  readonly stopsAtFailure: boolean
}

// The thread's own time becomes the simulation's, and its modules may be changed: nothing of the product may be loaded before.
const { firstSeed, step, count, isTraced, mutant, stopsAtFailure } = workerData as Assignment
if (mutant !== null) plant(mutant)
let atHand: World | null = null
const { drain } = installVirtualTime(() => atHand)
const { simulate } = await import('./simulate.ts')
const kernel = { drain, use: (world: World) => void (atHand = world) }
/** A thread's port knows no origins. */
const tell = (message: { line: string } | { result: RunResult }) => parentPort!.postMessage(message, [])
const onLine = isTraced ? (line: string) => tell({ line }) : undefined

for (let index = 0; index < count; index++) {
  const result = await simulate(firstSeed + index * step, kernel, onLine)
  tell({ result })
  if (result.failure && stopsAtFailure) break
}
