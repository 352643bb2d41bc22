import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { waitFor, type Home } from '@skipcast/runtime'
import {
  apiClient,
  gapMeter,
  openListener,
  startSkipcast,
  summarise,
  temporaryHome,
  toneFile,
  untilReady,
  type ApiClient,
  type Listener,
  type Summary,
} from '@skipcast/testing'
import { enginesOf, type RunningEngine } from '@skipcast/testing/faults'
import type { Benchmark } from './benchmark.ts'
import { channelsOf } from './channels.ts'
import { table } from './table.ts'

/** Fifty engines of one channel each, on a machine that does other things. */
const ON_AIR_TIMEOUT_MS = 180_000
const BACK_TIMEOUT_MS = 60_000
/** The engine that all channels share; an agent has no larger ones. */
const SHARED = 100
/** Icecast sends a block about every 105 ms: without sound for so long, a listener has missed something. */
const HOLE_MS = 400
/** So long all must sound, before a crash and after it. */
const CALM_MS = 1500

interface Row {
  readonly name: string
  readonly channels: number
  readonly crashes: readonly Crash[]
}

interface Crash {
  /** Of each channel of the engine: the longest time without a byte, which ends with the filler, or the programme if that is sooner. */
  readonly gaps: readonly number[]
  /** From the kill to the programme, each. */
  readonly programme: readonly number[]
  readonly dropped: number
  /** Channels of other engines that missed something. */
  readonly others: number
}

export const engineCrash: Benchmark<{ few: number; many: number; crashes: number }> = {
  name: 'engine-crash',
  summary: 'kill -9 of an engine, at a listener of each channel: until the filler, until the programme; engines shared and not',
  settings: { few: 10, many: 50, crashes: 4 },
  async run({ few, many, crashes }, say) {
    await using home = await temporaryHome()
    const file = await toneFile(join(home.path, 'tone.mp3'), { frequencyHz: 440, seconds: 60 })
    const plan = { file, most: Math.max(few, many), say }
    const halfAsOften = Math.ceil(crashes / 2) // each hits that many channels
    const shared = await measure(home, 'shared engine', SHARED, plan, [
      { channels: 1, crashes },
      { channels: few, crashes },
      { channels: many, crashes: halfAsOften },
    ])
    const own = await measure(home, 'one engine each', 1, plan, [
      { channels: few, crashes },
      { channels: many, crashes },
    ])
    return report([...shared, ...own])
  },
}

interface Plan {
  readonly file: string
  readonly most: number
  readonly say: (text: string) => void
}

interface Stage {
  readonly channels: number
  readonly crashes: number
}

/** All stages with so many channels to an engine, and the idle engine that an agent keeps by default. */
async function measure(
  home: Home,
  name: string,
  channelsPerEngine: number,
  plan: Plan,
  stages: readonly Stage[],
): Promise<Row[]> {
  await using server = await startSkipcast(home.path, { CHANNELS_PER_ENGINE: `${channelsPerEngine}` })
  await untilReady(server)
  const api = await apiClient(server.apiUrl, home.path)
  const slugs = await channelsOf(api, plan.most, plan.file)
  const rows: Row[] = []
  for (const { channels, crashes: wanted } of stages) {
    const crashes: Crash[] = []
    while (crashes.length < wanted) {
      plan.say(`${name}, ${channels} on air, ${crashes.length} crashes so far`)
      await using station = await onAir(api, slugs.slice(0, channels), (slug) => `http://127.0.0.1:${server.icecastPort}/${slug}`)
      for (const pid of await enginesToKill(home, wanted - crashes.length))
        crashes.push(await crash(home, station.listeners, pid))
    }
    rows.push({ name, channels, crashes })
    plan.say(cells(rows.at(-1)!).join('  '))
  }
  return rows
}

interface OnAir extends AsyncDisposable {
  /** One of each channel, by the channel's id. */
  readonly listeners: ReadonlyMap<string, Listener>
}

/** Starts the channels; disposing stops them, after which their agent holds no crash against them. */
async function onAir(api: ApiClient, slugs: readonly string[], urlOf: (slug: string) => string): Promise<OnAir> {
  await using owned = new AsyncDisposableStack()
  owned.defer(async () => {
    for (const slug of slugs) await api.call('POST', `/api/channels/${slug}/stream/stop`)
    for (const slug of slugs) await api.untilPhase(slug, 'off', ON_AIR_TIMEOUT_MS)
  })
  await Promise.all(slugs.map((slug) => api.call('POST', `/api/channels/${slug}/stream/start`)))
  const listeners = new Map<string, Listener>()
  for (const slug of slugs) {
    const { body } = await api.untilPhase(slug, 'on_air', ON_AIR_TIMEOUT_MS)
    listeners.set(body.channel.id, owned.use(await openListener(urlOf(slug))))
  }
  const stop = owned.move()
  return { listeners, [Symbol.asyncDispose]: () => stop.disposeAsync() }
}

/** At most so many of those that play, each of other channels. */
async function enginesToKill(home: Home, atMost: number): Promise<number[]> {
  const playing = (await enginesOf(home.path)).filter(({ channelIds }) => channelIds.length > 0)
  return playing.slice(0, atMost).map(({ pid }) => pid)
}

/** Kills an engine once all is calm and another waits idle, and measures until all is calm again. */
async function crash(home: Home, listeners: ReadonlyMap<string, Listener>, pid: number): Promise<Crash> {
  const all = [...listeners.values()]
  const victim = await waitFor(
    'an idle engine to be ready, and all to sound',
    async () => {
      const engines = await enginesOf(home.path)
      const isReady = engines.some(({ channelIds }) => channelIds.length === 0)
      return isReady && all.every(isCalm) && engines.find((engine) => engine.pid === pid)
    },
    { timeoutMs: BACK_TIMEOUT_MS },
  )
  // The idle engine must answer by then; and Icecast and the agent work in rhythms: not always at the same point of them.
  await sleep(CALM_MS * (1 + Math.random()))
  const at = performance.now()
  process.kill(pid, 'SIGKILL')
  await sleep(CALM_MS)
  await waitFor('all to sound again', () => all.every(isCalm), { timeoutMs: BACK_TIMEOUT_MS })
  return outcome(listeners, victim, at)
}

function isCalm({ sounds }: Listener): boolean {
  return performance.now() - (sounds[0] ?? Infinity) > CALM_MS && longestHole(sounds, performance.now() - CALM_MS).ms < HOLE_MS
}

function outcome(listeners: ReadonlyMap<string, Listener>, { channelIds }: RunningEngine, at: number): Crash {
  const hit = channelIds.map((id) => listeners.get(id)!)
  const others = [...listeners.values()].filter((listener) => !hit.includes(listener))
  return {
    gaps: hit.map((listener) => gapMeter(listener).between(at).max),
    programme: hit.map(({ sounds }) => longestHole(sounds, at).endsAt - at),
    dropped: hit.filter(({ closures }) => closures.length > 0).length,
    others: others.filter(({ sounds }) => longestHole(sounds, at).ms > HOLE_MS).length,
  }
}

/** The longest time without sound since a moment; one that lasts counts until now. */
function longestHole(sounds: readonly number[], since: number): { ms: number; endsAt: number } {
  let longest = { ms: 0, endsAt: since }
  let last = sounds.findLast((at) => at <= since) ?? since
  for (const at of [...sounds.filter((sound) => sound > since), performance.now()]) {
    if (at - last > longest.ms) longest = { ms: at - last, endsAt: at }
    last = at
  }
  return longest
}

function report(rows: readonly Row[]): string {
  const heading = ['kill -9, ms at each channel', 'channels', 'crashes', 'hit by one', 'gap p50', 'p99', 'max']
  return table([...heading, 'programme p50', 'p99', 'max', 'dropped', 'others disturbed'], rows.map(cells))
}

function cells({ name, channels, crashes }: Row): string[] {
  const gaps = summarise(crashes.flatMap((one) => one.gaps))
  const programme = summarise(crashes.flatMap((one) => one.programme))
  const times = ({ p50, p99, max }: Summary) => [p50, p99, max].map((ms) => ms.toFixed(0))
  const sum = (of: 'dropped' | 'others') => `${crashes.reduce((total, one) => total + one[of], 0)}`
  const hit = [`${channels}`, `${crashes.length}`, `${gaps.count / crashes.length}`]
  return [name, ...hit, ...times(gaps), ...times(programme), sum('dropped'), sum('others')]
}
