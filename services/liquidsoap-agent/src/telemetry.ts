import { phase, type Phase } from '@skipcast/contracts'
import { isAppError, messageOf, type AppError, type Logger, type Meters } from '@skipcast/runtime'
import type { Engine } from './domain/engine.ts'
import type { Step } from './domain/plan.ts'

/** Everything that this service tells its operators. */
export type Telemetry = ReturnType<typeof telemetry>

/** What the agent counts, of all its servers together. */
export type AgentCounters = ReturnType<typeof agentCounters>

export function agentCounters(meters: Meters) {
  const steps = meters.counter('skipcast_agent_steps_total', 'What the agent did to its engines, and why.', ['kind', 'reason'])
  const failed = meters.counter('skipcast_agent_failed_steps_total', 'What it tried in vain.', ['kind'])
  const lost = meters.counter('skipcast_agent_engines_lost_total', 'Engines that ended unexpectedly.')
  const changes = meters.counter('skipcast_agent_phase_changes_total', 'Changes of channels, by what they became and why.', [
    'phase',
    'code',
  ])
  const dropped = meters.counter('skipcast_agent_events_dropped_total', 'Events that could not be published and are lost.')
  const passes = meters.histogram('skipcast_agent_pass_seconds', 'How long a pass takes.', ['pass'])
  return { steps, failed, lost, changes, dropped, passes }
}

export function telemetry(logger: Logger, { steps, failed, lost, changes, dropped, passes }: AgentCounters) {
  const failure = (error: unknown) => ({
    problem: messageOf(error),
    ...(isAppError(error) && { code: error.code, details: error.details }),
  })
  return {
    stepTaken(step: Step) {
      steps.inc({ kind: step.kind, reason: 'reason' in step ? step.reason : 'none' })
      logger.info(fieldsOf(step), STEPS[step.kind].taken)
    },
    stepFailed(step: Step, error: unknown) {
      failed.inc({ kind: step.kind })
      logger.warn({ ...fieldsOf(step), ...failure(error) }, STEPS[step.kind].failed)
    },
    engineLost(engineId: string, channels: number) {
      lost.inc()
      logger.error({ engineId, channels }, 'an engine ended unexpectedly')
    },
    phaseChanged(channelId: string, from: Phase, to: Phase, code: string | null) {
      changes.inc({ phase: to, code: code ?? 'none' })
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
      dropped.inc(count)
      logger.error({ count, ...failure(error) }, 'events could not be published and are lost')
    },
    busAway(what: string, error: unknown) {
      logger.debug({ what, ...failure(error) }, 'not published: tried again')
    },
    hostReached() {
      logger.info('the host is reached')
    },
    hostLost(error: AppError) {
      logger.warn(failure(error), 'the host is not reached: tried again, and what plays there plays on')
    },
    mediaMoving(sha256: string, arrivedBytes: number, sizeBytes: number) {
      logger.info(
        { sha256, percent: Math.floor((100 * arrivedBytes) / sizeBytes), sizeBytes },
        'a file is being sent to the host',
      )
    },
    mediaSent(sha256: string, sizeBytes: number, tookMs: number) {
      logger.info({ sha256, sizeBytes, tookMs }, 'a file was sent to the host')
    },
    /** Runs a pass and measures it. */
    async measured(pass: 'reconcile' | 'report', run: () => Promise<void>): Promise<void> {
      const end = passes.startTimer({ pass })
      await run().finally(end)
    },
    passFailed(what: string, error: unknown) {
      logger.error(
        { what, ...failure(error), ...(!isAppError(error) && { stack: error instanceof Error ? error.stack : null }) },
        'a pass failed: the next one tries again',
      )
    },
  }
}

const STEPS: Readonly<Record<Step['kind'], { readonly taken: string; readonly failed: string }>> = {
  remove: { taken: 'a channel was taken off its engine', failed: 'a channel could not be taken off its engine' },
  stop: { taken: 'an engine was stopped', failed: 'an engine could not be stopped' },
  load: { taken: "a channel's new content went to its engine", failed: "a channel's new content did not get to its engine" },
  add: { taken: 'a channel was given to an engine', failed: 'a channel could not be given to an engine' },
  start: { taken: 'an engine was started', failed: 'an engine could not be started' },
}

function fieldsOf(step: Step): Record<string, string> {
  return {
    ...('engineId' in step && { engineId: step.engineId }),
    ...('channelId' in step && { channelId: step.channelId }),
    ...('stream' in step && { channelId: step.stream.record.channelId }),
    ...('reason' in step && { reason: step.reason }),
  }
}

export interface AgentFacts {
  readonly phases: () => readonly Phase[]
  readonly engines: () => readonly Engine[]
  readonly cacheBytes: () => Promise<number>
}

/** What the role `liquidsoap` shows of its state when somebody asks. */
export function showFacts(meters: Meters, facts: AgentFacts): void {
  const counted = (names: readonly string[], label: string, all: readonly string[]) =>
    names.map((name) => ({ labels: { [label]: name }, value: all.filter((one) => one === name).length }))
  meters.gauge('skipcast_agent_channels', 'Channels of this server, by phase.', ['phase'], () =>
    counted(phase.options, 'phase', facts.phases()),
  )
  meters.gauge('skipcast_agent_engines', 'Engines of this server, by state.', ['state'], () =>
    counted(
      ['running', 'silent', 'dead'],
      'state',
      facts.engines().map(({ state }) => state),
    ),
  )
  meters.gauge('skipcast_agent_media_cache_bytes', 'What the files take that are kept for engines.', [], async () => [
    { value: await facts.cacheBytes() },
  ])
}
