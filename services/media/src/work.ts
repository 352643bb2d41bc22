import { stamp, type MediaEvent, type MediaJob } from '@skipcast/contracts'
import type { Bus } from '@skipcast/bus'
import { AppError, isAppError, messageOf } from '@skipcast/runtime'
import { doJob, type Told } from './do-job.ts'
import type { FilePorts } from './import-file.ts'
import type { Attempts, Workplace } from './ports.ts'
import type { MediaTelemetry } from './telemetry.ts'
import { throttled } from './throttled.ts'

/** A job that was begun so often without coming to an end brings the process down: it is given up. */
const MOST_ATTEMPTS = 3
const PROGRESS_EVERY_MS = 500

export interface WorkPorts extends FilePorts {
  readonly bus: Pick<Bus, 'publish'>
  readonly openWorkplace: () => Promise<Workplace>
  readonly attempts: Attempts
  readonly telemetry: MediaTelemetry
  readonly origin: { readonly application: string; readonly environment: string }
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** The process ends: what runs is given back. */
  readonly stop: AbortSignal
}

/**
 * Does a job and tells what became of it. Resolves when that is on the bus. What is the file's fault is told as a failure; what passes (a store or a bus
 * that is away, a full disk, the end of this process) rejects with a retryable error: the job comes again. A bug rejects too, and after MOST_ATTEMPTS, also of
 * processes that died of it, the piece is told to have failed and the job becomes a dead letter.
 */
export function jobWorker(ports: WorkPorts): (job: MediaJob) => Promise<void> {
  const { bus, attempts, telemetry, stop } = ports
  const tell = (job: MediaJob, id: string, told: Told) => {
    const about = { ...stamp(ports.origin, ports.now(), `${job.id}:${id}`), job_id: job.id }
    const subject = job.event === 'make_artwork' ? { channel_id: job.channel_id } : { media_id: job.media_id }
    const [key] = Object.values(subject) as [string]
    return bus.publish('mediaEvents', [{ key, value: { ...about, ...subject, ...told } as MediaEvent }])
  }
  const tellFailed = (job: MediaJob, problem: string) =>
    tell(job, 'failed', { event: job.event === 'make_artwork' ? 'artwork_failed' : 'media_failed', problem })
  const tellProgress = async (job: MediaJob, percent: number) => {
    if (job.event === 'make_artwork') return // done before anybody looks
    await tell(job, `progress:${percent}`, { event: 'media_progress', percent })
  }

  return async (job) => {
    requireRunning(stop)
    if ((await attempts.begin(job.id)) > MOST_ATTEMPTS) {
      await tellFailed(job, 'This file can not be processed: it was tried several times.')
      throw new Error(`given up after ${MOST_ATTEMPTS} attempts that came to no end`)
    }
    const startedAt = ports.now()
    const progress = throttled(PROGRESS_EVERY_MS, ports.now, 0, (percent: number) => {
      // Whoever misses one sees the next.
      tellProgress(job, percent).catch(() => {})
    })
    try {
      await tellProgress(job, 0)
      await using workplace = await ports.openWorkplace()
      const outcome = await doJob(ports, workplace, job, (percent) => progress(Math.floor(percent)))
      await tell(job, 'ended', outcome)
      telemetry.done(job.event, ports.now() - startedAt)
    } catch (error) {
      if (stop.aborted) {
        await attempts.end(job.id)
        requireRunning(stop)
      }
      if (!isAppError(error, 'UNPROCESSABLE')) {
        telemetry.notDone(job.event, messageOf(error))
        if (isAppError(error) && error.kind.retryable) await attempts.end(job.id)
        throw error
      }
      await tellFailed(job, error.message)
      telemetry.refused(job.event, messageOf(error.cause ?? error))
    }
    await attempts.end(job.id)
  }
}

function requireRunning(stop: AbortSignal): void {
  if (stop.aborted) throw new AppError('TIMEOUT', 'This process ends; another one does the job.')
}
