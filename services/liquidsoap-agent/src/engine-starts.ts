import { backoff } from '@skipcast/runtime'
import type { Step } from './domain/plan.ts'
import type { ProblemCode } from './domain/problem.ts'
import { isHostTrouble } from './host-trouble.ts'
import { isDiskFull } from './is-disk-full.ts'
import type { Clock, EngineHost } from './ports.ts'
import type { Telemetry } from './telemetry.ts'

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 30_000

/** Engine starts run beside the passes: a slow one holds up no channel. Failures are followed by growing pauses. */
export interface EngineStarts extends AsyncDisposable {
  /** Begins to start one; what becomes of it is told, and another pass asked for. */
  begin(step: Step): Promise<void>
  /** Why the last one failed. */
  trouble(): ProblemCode | null
  /** False during a pause. */
  isAllowed(): boolean
  underWay(): number
}

export function engineStarts(ports: {
  readonly host: Pick<EngineHost, 'start'>
  readonly clock: Clock
  readonly tell: Pick<Telemetry, 'stepFailed'>
  readonly nudge: () => void
}): EngineStarts {
  const { host, clock, tell, nudge } = ports
  const running = new Set<Promise<void>>()
  const wait = backoff({ firstMs: FIRST_PAUSE_MS, mostMs: LONGEST_PAUSE_MS })
  let retryAt = -Infinity
  let trouble: ProblemCode | null = null
  let retry: NodeJS.Timeout | undefined

  const begin = async (step: Step) => {
    const start = host.start().then(
      () => {
        wait.reset()
        trouble = null
      },
      (error: unknown) => {
        tell.stepFailed(step, error)
        // That its host is not reached says nothing of engines, and is told elsewhere.
        if (!isHostTrouble(error)) trouble = isDiskFull(error) ? 'DISK_FULL' : 'ENGINE_START_FAILED'
        const waitMs = wait.next()
        retryAt = clock.steadyMs() + waitMs
        clearTimeout(retry)
        retry = setTimeout(nudge, waitMs)
      },
    )
    running.add(start)
    void start.finally(() => {
      running.delete(start)
      nudge()
    })
  }

  return {
    begin,
    trouble: () => trouble,
    isAllowed: () => clock.steadyMs() >= retryAt,
    underWay: () => running.size,
    async [Symbol.asyncDispose]() {
      clearTimeout(retry)
      await Promise.all(running)
      clearTimeout(retry)
    },
  }
}
