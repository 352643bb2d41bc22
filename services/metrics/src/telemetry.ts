import type { HealthBoard, Logger, Meters } from '@skipcast/runtime'

const HEALTH = 'listener metrics'
/** So many different problems of one outage are told; an Icecast that fails in ever new ways does not fill the log. */
const MOST_PROBLEMS = 5

export type MetricsTelemetry = ReturnType<typeof metricsTelemetry>

/** Tells of a change of state once, not at every look; counts everything. */
export function metricsTelemetry(logger: Logger, health: HealthBoard, meters: Meters) {
  const looks = meters.counter('skipcast_icecast_looks_total', "Questions for an Icecast's statistics.", ['icecast', 'outcome'])
  const lookSeconds = meters.histogram('skipcast_icecast_look_seconds', 'How long reading the statistics of an Icecast takes.', [
    'icecast',
  ])
  const updates = meters.counter('skipcast_listener_updates_total', 'Listener numbers of a channel that were published.')
  const problems = new Map<string, string>()
  const said = new Map<string, Set<string>>()

  const report = () => health.report(HEALTH, problems.size > 0 ? [...new Set(problems.values())].join('; ') : null)
  const well = (part: string, text: string) => {
    if (said.delete(part)) logger.info({ part }, text)
    problems.delete(part)
    report()
  }
  const unwell = (part: string, problem: string, text: string) => {
    const known = said.get(part) ?? new Set()
    if (!known.has(problem) && known.size < MOST_PROBLEMS) logger.warn({ part, problem }, text)
    said.set(part, known.add(problem))
    problems.set(part, problem)
    report()
  }

  return {
    looked(icecast: string, tookMs: number) {
      looks.inc({ icecast, outcome: 'read' })
      lookSeconds.observe({ icecast }, tookMs / 1000)
      well(icecast, 'Icecast gives statistics again')
    },
    lookFailed(icecast: string, problem: string) {
      looks.inc({ icecast, outcome: 'failed' })
      unwell(icecast, problem, 'Icecast gives no statistics; trying again')
    },
    told(count: number) {
      updates.inc(count)
      well('bus', 'listener metrics flow again')
    },
    notTold(problem: string) {
      unwell('bus', problem, 'listener metrics stopped; trying again')
    },
  }
}
