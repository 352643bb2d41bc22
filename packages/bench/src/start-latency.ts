import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { waitFor } from '@skipcast/runtime'
import {
  apiClient,
  openListener,
  processesOf,
  startSkipcast,
  summarise,
  temporaryHome,
  toneFile,
  untilReady,
  type ApiClient,
  type SkipcastProcess,
  type Summary,
} from '@skipcast/testing'
import { bareStation } from './bare-liquidsoap.ts'
import type { Benchmark } from './benchmark.ts'
import { firstSoundSince } from './first-sound.ts'
import { alternately, repeat } from './rounds.ts'
import { table } from './table.ts'

const CHANNEL = 'measured'
const POLL_MS = 20
/** Icecast answers in a rhythm of 150 ms: a start must not always come at the same point of it. */
const RANDOM_MOMENT_MS = 300
const OFF_TIMEOUT_MS = 30_000
const TARGETS = { runningMs: 600, newMs: 1000, timesFaster: 5 }

interface Starts {
  /** From the API's 202 to the first sound. */
  readonly latency: Summary
  /** From the request to the 202. */
  readonly answer: Summary
  /** How many of the starts brought an engine of their own. */
  readonly newEngines: number
}

export const startLatency: Benchmark<{ running: number; new: number; bare: number }> = {
  name: 'start-latency',
  summary: "the API's 202 → first sound at a polling listener: into a running engine, with a new engine, and a bare liquidsoap",
  settings: { running: 50, new: 20, bare: 20 },
  async run(settings, say) {
    await using home = await temporaryHome()
    const files = [440, 660].map((hz) => join(home.path, `${hz}.mp3`))
    for (const [index, file] of files.entries()) await toneFile(file, { frequencyHz: 440 + index * 220, seconds: 60 })

    await using station = await bareStation(home, files)
    const rival = alternately(settings.running + settings.new, settings.bare, () => station.start())

    say(`${settings.running} starts into a running engine, and some of the ${settings.bare} bare ones in between`)
    const running = await measure(home.path, {}, async (api, server) => {
      await api.channel({ name: 'Neighbour', slug: 'neighbour' }, files)
      await api.call('POST', '/api/channels/neighbour/stream/start')
      await api.untilPhase('neighbour', 'on_air', OFF_TIMEOUT_MS)
      await api.channel({ name: 'Measured', slug: CHANNEL }, files)
      const starts = await repeat(settings.running, () => rival.after(() => start(api, server, home.path)))
      await api.call('POST', '/api/channels/neighbour/stream/stop')
      return starts
    })
    say(`${settings.new} starts with a new engine, and the rest of the bare ones`)
    const fresh = await measure(home.path, { CHANNELS_PER_ENGINE: '1', WARM_ENGINES: '0' }, (api, server) =>
      repeat(settings.new, async () => {
        await waitFor('no engine to be there', async () => (await engines(home.path)).size === 0, { timeoutMs: OFF_TIMEOUT_MS })
        return rival.after(() => start(api, server, home.path))
      }),
    )
    const bare = summarise(await rival.results())
    return report(running, fresh, bare)
  },
}

interface Start {
  readonly latencyMs: number
  readonly answerMs: number
  readonly isNewEngine: boolean
}

/** Runs a Skipcast of these variables for as long as the measurement lasts. Started again, it finds what the first one left. */
async function measure(
  home: string,
  variables: Readonly<Record<string, string>>,
  work: (api: ApiClient, server: SkipcastProcess) => Promise<Start[]>,
): Promise<Starts> {
  await using server = await startSkipcast(home, variables)
  await untilReady(server)
  const starts = await work(await apiClient(server.apiUrl, home), server)
  return {
    latency: summarise(starts.map(({ latencyMs }) => latencyMs)),
    answer: summarise(starts.map(({ answerMs }) => answerMs)),
    newEngines: starts.filter(({ isNewEngine }) => isNewEngine).length,
  }
}

/** One start, measured, and taken back. */
async function start(api: ApiClient, server: SkipcastProcess, home: string): Promise<Start> {
  const before = await engines(home)
  await using listener = await openListener(`http://127.0.0.1:${server.icecastPort}/${CHANNEL}`, { reconnectAfterMs: POLL_MS })
  await sleep(Math.random() * RANDOM_MOMENT_MS)
  const askedAt = performance.now()
  const { status } = await api.call('POST', `/api/channels/${CHANNEL}/stream/start`)
  const answeredAt = performance.now()
  if (status !== 202) throw new Error(`The API answered ${status} to a start`)
  const heardAt = await firstSoundSince(listener, askedAt)
  const isNewEngine = [...(await engines(home))].some((pid) => !before.has(pid))
  await api.call('POST', `/api/channels/${CHANNEL}/stream/stop`)
  await api.untilPhase(CHANNEL, 'off', OFF_TIMEOUT_MS)
  return { latencyMs: heardAt - answeredAt, answerMs: answeredAt - askedAt, isNewEngine }
}

async function engines(home: string): Promise<Set<number>> {
  const all = await processesOf(home)
  return new Set(all.filter(({ command }) => command.includes('liquidsoap --no-stdlib')).map(({ pid }) => pid))
}

function report(running: Starts, fresh: Starts, bare: Summary): string {
  const ms = (value: number) => value.toFixed(0)
  const cells = ({ count, p50, p99, max }: Summary) => [`${count}`, ms(p50), ms(p99), ms(max)]
  const verdict = (met: boolean, target: string) => `${target} ${met ? 'met' : 'MISSED'}`
  const times = (starts: Starts) => bare.p50 / starts.latency.p50
  const judge = (starts: Starts, targetMs: number) => [
    verdict(starts.latency.p50 <= targetMs, `≤ ${targetMs} ms`),
    verdict(times(starts) >= TARGETS.timesFaster, `${times(starts).toFixed(1)}x (≥ ${TARGETS.timesFaster}x)`),
    `${starts.newEngines}`,
    ms(starts.answer.p50),
  ]
  return table(
    ['202 → first sound, ms', 'n', 'p50', 'p99', 'max', 'target p50', 'bare p50 / ours', 'new engines', 'request → 202, p50'],
    [
      ['Skipcast, running engine', ...cells(running.latency), ...judge(running, TARGETS.runningMs)],
      ['Skipcast, new engine', ...cells(fresh.latency), ...judge(fresh, TARGETS.newMs)],
      ['bare liquidsoap (from its spawn)', ...cells(bare)],
    ],
  )
}
