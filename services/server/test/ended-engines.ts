import { waitFor } from '@skipcast/runtime'
import type { ApiClient } from '@skipcast/testing'

/** Why an agent ends idle engines that nothing is wrong with: there are too many, or they were given their share of channels. */
const BY_DESIGN = ['surplus', 'worn']

/**
 * Fails when an engine ended other than by its agent's decision about an idle one, or when one is missing that was not ended so. An engine that plays is never idle:
 * of those that were there `before` one is still there, if a channel has played all the time.
 */
export async function untilAllEnginesAreAccountedFor(
  api: ApiClient,
  before: readonly number[],
  runningNow: () => Promise<readonly number[]>,
): Promise<void> {
  await waitFor(
    'as many engines as the agent started and did not end',
    async () => {
      const [alive, { running }] = [await runningNow(), await engineCounts(api)]
      if (alive.length !== running) throw new Error(`${alive.length} run, ${running} should`)
      if (!before.some((pid) => alive.includes(pid))) throw new Error('none of the first is left')
      return true
    },
    { timeoutMs: 15_000, everyMs: 200 },
  )
  const { lost, stopped } = await engineCounts(api)
  const otherwise = Object.entries(stopped).filter(([reason]) => !BY_DESIGN.includes(reason))
  if (lost > 0 || otherwise.length > 0)
    throw new Error(`${lost} engines ended unexpectedly; ended by the agent: ${JSON.stringify(stopped)}`)
}

/** What the agent of this process counted of its engines since it started. */
interface EngineCounts {
  /** Engines that ended without being told to: crashes, kills, refused memory. */
  readonly lost: number
  /** Engines that it ended itself, by why. */
  readonly stopped: Readonly<Record<string, number>>
  /** How many must be running now if none ended in any other way. */
  readonly running: number
}

/** Reads `/metrics`. Fails when a meter that must be there is not: a meter that was renamed would pass for "never happened". */
async function engineCounts(api: ApiClient): Promise<EngineCounts> {
  const { status, body } = await api.call('GET', '/metrics')
  if (status !== 200) throw new Error(`/metrics answered ${status}`)
  const series = [...(body as string).matchAll(/^(\w+)(?:\{(.*)\})? ([\d.e+-]+)$/gm)].map(([, name, labels = '', value]) => ({
    name,
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, text]) => [label, text])),
    value: Number(value),
  }))
  const lost = series.find(({ name }) => name === 'skipcast_agent_engines_lost_total')
  const steps = series.filter(({ name }) => name === 'skipcast_agent_steps_total')
  const started = steps.find(({ labels }) => labels['kind'] === 'start')
  if (!lost || !started) throw new Error('/metrics does not tell which engines were started and lost')
  const failed = series.find(({ name, labels }) => name === 'skipcast_agent_failed_steps_total' && labels['kind'] === 'start')
  const stops = steps.filter(({ labels }) => labels['kind'] === 'stop')
  return {
    lost: lost.value,
    stopped: Object.fromEntries(stops.map(({ labels, value }) => [labels['reason'], value])),
    running: started.value - (failed?.value ?? 0) - stops.reduce((sum, { value }) => sum + value, 0),
  }
}
