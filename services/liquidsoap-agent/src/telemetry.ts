import type { Phase } from '@skipcast/contracts'
import { isAppError, messageOf, type Logger } from '@skipcast/runtime'
import type { Step } from './domain/plan.ts'

/** Everything that this service tells its operators. */
export type Telemetry = ReturnType<typeof telemetry>

export function telemetry(logger: Logger) {
  const failure = (error: unknown) => ({
    problem: messageOf(error),
    ...(isAppError(error) && { code: error.code, details: error.details }),
  })
  return {
    stepTaken(step: Step) {
      logger.info(fieldsOf(step), `${step.kind} done`)
    },
    stepFailed(step: Step, error: unknown) {
      logger.warn({ ...fieldsOf(step), ...failure(error) }, `${step.kind} failed`)
    },
    engineLost(engineId: string, channels: number) {
      logger.error({ engineId, channels }, 'an engine ended unexpectedly')
    },
    phaseChanged(channelId: string, from: Phase, to: Phase, code: string | null) {
      const level = to === 'failing' ? 'warn' : 'info'
      logger[level]({ channelId, from, to, ...(code && { code }) }, 'phase changed')
    },
    mediaMissing(sha256: string, error: unknown) {
      logger.warn({ sha256, ...failure(error) }, 'a track has no file')
    },
    eventsNotRead(engineId: string, error: unknown) {
      logger.warn({ engineId, ...failure(error) }, "an engine's events could not be taken over: they stay where they are")
    },
    eventsDropped(count: number, error: unknown) {
      logger.error({ count, ...failure(error) }, 'events could not be published and are lost')
    },
    busAway(what: string, error: unknown) {
      logger.debug({ what, ...failure(error) }, 'not published: tried again')
    },
    passFailed(what: string, error: unknown) {
      logger.error(
        { what, ...failure(error), ...(!isAppError(error) && { stack: error instanceof Error ? error.stack : null }) },
        'a pass failed: the next one tries again',
      )
    },
  }
}

function fieldsOf(step: Step): Record<string, string> {
  return {
    ...('engineId' in step && { engineId: step.engineId }),
    ...('channelId' in step && { channelId: step.channelId }),
    ...('stream' in step && { channelId: step.stream.record.channelId }),
    ...('reason' in step && { reason: step.reason }),
  }
}
