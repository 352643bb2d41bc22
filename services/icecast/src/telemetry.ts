import type { SourceClaim } from '@skipcast/contracts'
import type { Logger } from '@skipcast/runtime'
import type { Refusal } from './domain/judge.ts'

export type Telemetry = ReturnType<typeof icecastTelemetry>

/** What this role finds worth telling. Passwords never come here. */
export function icecastTelemetry(logger: Logger) {
  return {
    started: (pid: number) => logger.info({ pid }, 'icecast2 started'),
    adopted: (pid: number) =>
      logger.info({ pid }, 'icecast2 was running already with this configuration: adopted, listeners stay'),
    replaced: (pid: number) => logger.info({ pid }, 'icecast2 ran with another configuration: ended'),
    died: (pid: number, waitMs: number) => logger.error({ pid, waitMs }, 'icecast2 ended unexpectedly: starting it again'),
    notStarted: (problem: string) => logger.error({ problem }, 'icecast2 could not be started'),
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
