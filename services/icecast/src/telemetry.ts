import type { SourceClaim } from '@skipcast/contracts'
import type { Logger } from '@skipcast/runtime'
import type { Refusal } from './domain/judge.ts'

/** What this role runs. */
export type Program = 'icecast2' | 'haproxy'
export type Telemetry = ReturnType<typeof icecastTelemetry>

/** What this role finds worth telling. Passwords never come here. */
export function icecastTelemetry(logger: Logger) {
  return {
    started: (program: Program, pid: number) => logger.info({ pid }, `${program} started`),
    adopted: (program: Program, pid: number) =>
      logger.info({ pid }, `${program} was running already with this configuration: adopted, listeners stay`),
    reloaded: (program: Program, pid: number) =>
      logger.info({ pid }, `${program} goes on with another configuration, listeners stay`),
    replaced: (program: Program, pid: number) => logger.info({ pid }, `${program} ran with another configuration: ended`),
    died: (program: Program, pid: number, waitMs: number) =>
      logger.error({ pid, waitMs }, `${program} ended unexpectedly: starting it again`),
    notKept: (program: Program, problem: string) =>
      logger.error({ problem }, `${program} could not be started, or not with its new configuration`),
    passFailed: (problem: string) => logger.warn({ problem }, 'a pass failed'),
    tooFewFiles: (has: number, wants: number) =>
      logger.warn(
        { has, wants },
        'the limit on open files is too low for so many listeners (raise it with ulimit -n or LimitNOFILE)',
      ),
    admitted: (mount: string, { channelId, epoch }: SourceClaim) => logger.info({ mount, channelId, epoch }, 'source let in'),
    refused(mount: string, reason: Refusal | 'wrong-user' | 'no-such-mount' | 'no-genuine-token', claim?: SourceClaim): false {
      logger.warn({ mount, reason, channelId: claim?.channelId, epoch: claim?.epoch }, 'source refused')
      return false
    },
    answerFailed: (kind: string, problem: string) => logger.error({ kind, problem }, 'answered no, because this failed'),
    notSettled: (mount: string, problem: string) =>
      logger.warn({ mount, problem }, 'listeners were not fetched; the next pass does it'),
    fillerFailed: (mount: string, reason: string) => logger.debug({ mount, reason }, 'silence could not be fed'),
    retired: (mount: string) => logger.info({ mount }, 'mount ended'),
    sessionsLost: (count: number) => logger.error({ count }, 'listener sessions dropped: the bus was away for too long'),
    sessionsWait: (waiting: number, problem: string) => logger.warn({ waiting, problem }, 'listener sessions wait for the bus'),
  }
}
