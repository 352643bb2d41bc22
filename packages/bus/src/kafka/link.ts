import type { HealthBoard, Logger } from '@skipcast/runtime'
import { explain } from './failure.ts'

/** Whether Kafka was there when each part of the bus last needed it. */
export interface Link {
  up(part: string): void
  down(part: string, error: unknown): void
  /** The part is no more. */
  forget(part: string): void
}

/**
 * Tells `health` (as `bus`), and the log whenever it changes: an outage is two lines, not two each second. One that `isExpected` is told to
 * `health` only, unless it lasts.
 */
export function link(logger: Logger, health: HealthBoard, isExpected: () => boolean = () => false): Link {
  const problems = new Map<string, string>()
  let wasDown = false
  const tell = () => {
    const [first] = problems
    health.report('bus', first ? `${first[0]}: ${first[1]}` : null)
    const isDown = first !== undefined
    if (isDown && !wasDown && isExpected()) return
    if (isDown && !wasDown) logger.warn({ part: first[0], problem: first[1] }, 'Kafka is out of reach: trying again')
    if (!isDown && wasDown) logger.info('Kafka is there again')
    wasDown = isDown
  }
  return {
    up(part) {
      if (problems.delete(part)) tell()
      else if (!wasDown) health.report('bus', null)
    },
    down(part, error) {
      problems.set(part, explain(error))
      tell()
    },
    forget(part) {
      if (problems.delete(part)) tell()
    },
  }
}
