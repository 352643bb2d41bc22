import type { HealthBoard, Logger, Meters } from '@skipcast/runtime'

const HEALTH = 'media jobs'

export type MediaTelemetry = ReturnType<typeof mediaTelemetry>

/** What is worth telling of jobs. `/readyz` names what keeps them from being done. */
export function mediaTelemetry(logger: Logger, health: HealthBoard, meters: Meters) {
  const jobs = meters.counter('skipcast_media_jobs_total', 'Jobs on media, by what became of them.', ['kind', 'outcome'])
  const seconds = meters.histogram('skipcast_media_job_seconds', 'How long a job on media takes.', ['kind'])
  return {
    done(kind: string, tookMs: number) {
      jobs.inc({ kind, outcome: 'done' })
      seconds.observe({ kind }, tookMs / 1000)
      health.report(HEALTH, null)
    },
    /** It is the file's fault. */
    refused(kind: string, because: string) {
      jobs.inc({ kind, outcome: 'refused' })
      logger.info({ kind, because }, 'a file was refused')
      health.report(HEALTH, null)
    },
    notDone(kind: string, problem: string) {
      jobs.inc({ kind, outcome: 'not_done' })
      logger.warn({ kind, problem }, 'a job on media could not be done; it is tried again')
      health.report(HEALTH, problem)
    },
  }
}
