import type { HealthBoard, Logger } from '@skipcast/runtime'

/** Tells of a change of state once, not at every poll. */
export function metricsTelemetry(logger: Logger, health: HealthBoard) {
  let problem: string | null = null
  return {
    polled() {
      health.report('listener metrics', null)
      if (problem !== null) logger.info('listener metrics flow again')
      problem = null
    },
    failed(reason: string) {
      health.report('listener metrics', reason)
      if (problem !== reason) logger.warn({ problem: reason }, 'listener metrics stopped; trying again')
      problem = reason
    },
  }
}
