import { AppError, isAppError } from '@skipcast/runtime'

/** Most that goes into one piece of work, and most that waits for it; who comes on top is refused. */
const MAX_PER_BATCH = 32
const MAX_WAITING = 20_000

interface Call<Input, Output> {
  readonly input: Input
  readonly done: (output: Output) => void
  readonly failed: (error: unknown) => void
}

/**
 * Puts calls together: one batch at a time, and what comes meanwhile goes together in the next. So one call costs one statement and waits for
 * nothing, and a thousand cost a few. `work` answers for each input, in their order, and does all or nothing. Where it rejects with
 * DATABASE_UNAVAILABLE, so do all that wait, who would fare no better; where with anything else, each is tried alone, so that only the guilty
 * pays. Rejects with DATABASE_UNAVAILABLE when too many wait.
 */
export function inBatches<Input, Output>(
  work: (inputs: readonly Input[]) => Promise<readonly Output[]>,
): (input: Input) => Promise<Output> {
  const waiting: Call<Input, Output>[] = []
  let isWorking = false

  const attempt = async (batch: readonly Call<Input, Output>[]): Promise<void> => {
    try {
      const outputs = await work(batch.map(({ input }) => input))
      for (const [index, { done }] of batch.entries()) done(outputs[index]!)
    } catch (error) {
      if (isAppError(error, 'DATABASE_UNAVAILABLE')) {
        for (const { failed } of [...batch, ...waiting.splice(0)]) failed(error)
      } else if (batch.length === 1) {
        batch[0]!.failed(error)
      } else {
        for (const call of batch) await attempt([call])
      }
    }
  }
  const pump = async () => {
    while (waiting.length > 0) await attempt(waiting.splice(0, MAX_PER_BATCH))
    isWorking = false
  }

  return (input) =>
    new Promise((done, failed) => {
      if (waiting.length >= MAX_WAITING)
        return failed(new AppError('DATABASE_UNAVAILABLE', 'Too much waits for the database. Try again in a moment.'))
      waiting.push({ input, done, failed })
      if (isWorking) return
      isWorking = true
      void Promise.resolve().then(pump) // a turn later, so that calls of this turn go together
    })
}
