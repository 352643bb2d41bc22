import type { SourceClaim } from '@skipcast/contracts'
import type { Logger, Meters } from '@skipcast/runtime'
import type { Refusal } from './domain/judge.ts'
import { readMount } from './domain/mounts.ts'
import type { ObservedMount } from './domain/plan.ts'

/** What this role runs. */
export type Program = 'icecast2' | 'haproxy'
export type Telemetry = ReturnType<typeof icecastTelemetry>

/** What this role finds worth telling and measuring. Passwords never come here. */
export function icecastTelemetry(logger: Logger, meters: Meters) {
  const deaths = meters.counter('skipcast_icecast_restarts_total', 'Programs that ended unexpectedly and were started again.', [
    'program',
  ])
  const admissions = meters.counter('skipcast_icecast_sources_admitted_total', 'Sources let in.', ['kind'])
  const refusals = meters.counter('skipcast_icecast_sources_refused_total', 'Sources refused.', ['reason'])
  const switches = meters.counter('skipcast_icecast_switches_total', "Changes of a channel's source, to silence or from it too.")
  const answers = meters.histogram('skipcast_icecast_answer_seconds', "How long answers to Icecast's questions take.", ['kind'])
  let seen: {
    readonly sources: Record<'channel' | 'standby' | 'silence' | 'waiting', number>
    readonly listeners: number
  } | null = null
  meters.gauge('skipcast_icecast_sources', 'Sources by what they feed, as of the last pass.', ['kind'], () =>
    Object.entries(seen?.sources ?? {}).map(([kind, value]) => ({ labels: { kind }, value })),
  )
  meters.gauge('skipcast_icecast_listeners', 'Connections of listeners, our own monitors too, as of the last pass.', [], () =>
    seen ? [{ value: seen.listeners }] : [],
  )

  return {
    /** What Icecast shows; null when it did not answer. `engines` are the mounts that engines feed, the others are fed with silence. */
    observed(
      mounts: ReadonlyMap<string, ObservedMount> | null,
      engines: ReadonlySet<string>,
      activeOf: (channelMount: string) => string,
    ) {
      seen = null
      if (!mounts) return
      const sources = { channel: 0, standby: 0, silence: 0, waiting: 0 }
      let listeners = 0
      for (const [path, mount] of mounts) {
        listeners += mount.listeners
        const place = readMount(path)
        if (!place) continue
        const isActive = activeOf(place.channelMount) === path
        if (engines.has(path)) sources[isActive ? 'channel' : 'standby'] += 1
        else sources[isActive ? 'silence' : 'waiting'] += 1
      }
      seen = { sources, listeners }
    },
    answered: (kind: string, elapsedMs: number) => answers.observe({ kind }, elapsedMs / 1000),
    switched: () => switches.inc(),
    silenceAdmitted: () => admissions.inc({ kind: 'silence' }),
    uninvited: (mount: string, count: number) =>
      logger.info({ mount, count }, 'listeners without a link to a private channel, or with an old one, were let go'),
    started: (program: Program, pid: number) => logger.info({ pid }, `${program} started`),
    adopted: (program: Program, pid: number) =>
      logger.info({ pid }, `${program} was running already with this configuration: adopted, listeners stay`),
    reloaded: (program: Program, pid: number) =>
      logger.info({ pid }, `${program} goes on with another configuration, listeners stay`),
    replaced: (program: Program, pid: number) => logger.info({ pid }, `${program} ran with another configuration: ended`),
    died(program: Program, pid: number, waitMs: number) {
      deaths.inc({ program })
      logger.error({ pid, waitMs }, `${program} ended unexpectedly: starting it again`)
    },
    frozen: (program: Program, pid: number) => logger.error({ pid }, `${program} lives but does not answer: ended`),
    notKept: (program: Program, problem: string) =>
      logger.error({ problem }, `${program} could not be started, or not with its new configuration`),
    passFailed: (problem: string) => logger.warn({ problem }, 'a pass failed'),
    tooFewFiles: (has: number, wants: number) =>
      logger.warn(
        { has, wants },
        'the limit on open files is too low for so many listeners (raise it with ulimit -n or LimitNOFILE)',
      ),
    admitted(mount: string, { channelId, epoch }: SourceClaim) {
      admissions.inc({ kind: 'engine' })
      logger.info({ mount, channelId, epoch }, 'source let in')
    },
    refused(mount: string, reason: Refusal | 'wrong-user' | 'no-such-mount' | 'no-genuine-token', claim?: SourceClaim): false {
      refusals.inc({ reason })
      logger.warn({ mount, reason, channelId: claim?.channelId, epoch: claim?.epoch }, 'source refused')
      return false
    },
    turned: (channelMount: string, mount: string) => logger.info({ channelMount, mount }, 'listeners are sent to this mount now'),
    notTurned: (problem: string) =>
      logger.warn({ problem }, 'the front could not be told where listeners go; the next pass does it'),
    notLimited: (problem: string) =>
      logger.warn({ problem }, 'the front could not be told how many may listen; the next pass does it'),
    outdated: (mount: string, epoch: number) =>
      logger.info({ mount, epoch }, 'source ended, and refused from now on: the channel is on air from another server'),
    stalled: (mount: string, isStalled: boolean) =>
      logger.info(
        { mount },
        isStalled ? 'its source sends nothing: listeners go to the other replica' : 'its source sends again',
      ),
    answerFailed: (kind: string, problem: string) => logger.error({ kind, problem }, 'answered no, because this failed'),
    notSettled: (mount: string, problem: string) =>
      logger.warn({ mount, problem }, 'listeners may not be where the programme is; the next pass does it'),
    fillerFailed: (mount: string, reason: string) => logger.debug({ mount, reason }, 'silence could not be fed'),
    retired: (mount: string) => logger.info({ mount }, 'mount ended'),
    sessionsLost: (count: number) => logger.error({ count }, 'listener sessions dropped: the bus was away for too long'),
    sessionsWait: (waiting: number, problem: string) => logger.warn({ waiting, problem }, 'listener sessions wait for the bus'),
  }
}
