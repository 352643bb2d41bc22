import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Home } from '@skipcast/runtime'
import {
  apiClient,
  processesOf,
  startSkipcast,
  summarise,
  temporaryHome,
  toneFile,
  untilReady,
  type SkipcastProcess,
} from '@skipcast/testing'
import { bareStation, type BareMode } from './bare-liquidsoap.ts'
import type { Benchmark } from './benchmark.ts'
import { channelsOf } from './channels.ts'
import { homeDatabase } from './home-database.ts'
import { costOf, type Cost } from './process-cost.ts'
import { table } from './table.ts'

/** After the last channel came on air: what starting cost is over by then. */
const SETTLE_MS = 4000
/** Fifty engines of one channel each, on a machine that does other things. */
const ON_AIR_TIMEOUT_MS = 180_000
const PLENTY = 100_000
/** What channels are sent as. The bare ones that encode send MP3. */
const KINDS = [
  { name: 'copy', mode: 'copy', format: 'mp3' },
  { name: 'encode', mode: 'encode', format: 'mp3' },
  { name: 'encode, Opus', mode: 'encode', format: 'opus' },
  { name: 'encode, AAC', mode: 'encode', format: 'aac' },
] as const
type Kind = (typeof KINDS)[number]
/** The engine that all channels share; an agent has no larger ones. */
const SHARED = 100

interface Row {
  readonly name: string
  readonly kind: Kind
  readonly channels: number
  readonly processes: number
  readonly cost: Cost
  /** Of Skipcast's own process, which has an ear on each mount. */
  readonly control?: Cost
}

interface Bare {
  readonly pids: Readonly<Record<BareMode, readonly number[]>>
  readonly costs: Record<BareMode, Cost[]>
}

export const engineCost: Benchmark<{ few: number; many: number; bare: number; seconds: number }> = {
  name: 'engine-cost',
  summary: 'CPU and memory per channel: engines shared and not, copying and encoding, and bare liquidsoaps',
  settings: { few: 10, many: 50, bare: 10, seconds: 15 },
  async run({ few, many, bare: bareCount, seconds }, say) {
    await using home = await temporaryHome()
    const file = join(home.path, 'tone.mp3')
    await toneFile(file, { frequencyHz: 440, seconds: 60 })
    await using station = await bareStation(home, [file], 2 * bareCount)
    say(`${bareCount} bare liquidsoaps that copy, and ${bareCount} that encode`)
    const pids = { copy: await station.startAll('copy', bareCount), encode: await station.startAll('encode', bareCount) }
    const bare: Bare = { pids, costs: { copy: [], encode: [] } }

    const stages = [1, few, many]
    const plan = { file, stages, seconds, bare, say }
    const shared = await measure(home, 'shared', SHARED, { ...plan, kinds: KINDS })
    const own = await measure(home, 'one engine each', 1, { ...plan, kinds: KINDS.filter(({ format }) => format === 'mp3') })
    return report([...shared, ...own], bare, bareCount)
  },
}

interface Plan {
  readonly kinds: readonly Kind[]
  readonly file: string
  readonly stages: readonly number[]
  readonly seconds: number
  readonly bare: Bare
  readonly say: (text: string) => void
}

/** All stages of each kind with so many channels to an engine. */
async function measure(home: Home, name: string, channelsPerEngine: number, plan: Plan): Promise<Row[]> {
  await using server = await startSkipcast(home.path, {
    CHANNELS_PER_ENGINE: `${channelsPerEngine}`,
    WARM_ENGINES: '0',
    SERVER_CAPACITY: `${PLENTY}`,
  })
  await untilReady(server)
  const api = await apiClient(server.apiUrl, home.path)
  const slugs = await channelsOf(api, Math.max(...plan.stages), plan.file)
  const rows: Row[] = []
  for (const kind of plan.kinds) {
    await choose(home, kind)
    let playing = 0
    for (const stage of plan.stages) {
      plan.say(`${name}, ${kind.name}, ${stage} on air`)
      await Promise.all(slugs.slice(playing, stage).map((slug) => api.call('POST', `/api/channels/${slug}/stream/start`)))
      for (const slug of slugs.slice(playing, stage)) await api.untilPhase(slug, 'on_air', ON_AIR_TIMEOUT_MS)
      playing = stage
      await sleep(SETTLE_MS)
      rows.push({ name, kind, channels: stage, ...(await costs(home, server, kind.mode, plan)) })
    }
    for (const slug of slugs) await api.call('POST', `/api/channels/${slug}/stream/stop`)
    for (const slug of slugs) await api.untilPhase(slug, 'off', ON_AIR_TIMEOUT_MS)
  }
  return rows
}

/** The commands of the next starts carry it. */
async function choose(home: Home, { mode, format }: Kind): Promise<void> {
  await using database = await homeDatabase(home)
  await database.run((client) => client.channel.updateMany({ data: { mode, format } }))
}

/** Ours and the bare ones, in the same moments. */
async function costs(home: Home, server: SkipcastProcess, mode: BareMode, { seconds, bare }: Plan) {
  const all = await processesOf(home.path)
  const engines = all.filter(({ command }) => command.includes('liquidsoap --no-stdlib')).map(({ pid }) => pid)
  const [cost, control, rival] = await Promise.all(
    [engines, [server.pid], bare.pids[mode]].map((pids) => costOf(pids, seconds * 1000)),
  )
  bare.costs[mode].push(rival!)
  return { processes: engines.length, cost: cost!, control: control! }
}

function report(ours: readonly Row[], bare: Bare, bareCount: number): string {
  const median = (mode: BareMode, of: keyof Cost) => summarise(bare.costs[mode].map((cost) => cost[of])).p50
  const theirs = KINDS.slice(0, 2).map((kind): Row => {
    const { mode } = kind
    const cost = { cpuPercent: median(mode, 'cpuPercent'), pssMb: median(mode, 'pssMb') }
    return { name: 'bare liquidsoap', kind, channels: bareCount, processes: bareCount, cost }
  })
  const line = ({ name, kind, channels, processes, cost, control }: Row) => {
    const rival = theirs.find((other) => other.kind.mode === kind.mode)!
    const per = (of: keyof Cost) => cost[of] / channels
    const times = (of: keyof Cost) => `${(rival.cost[of] / bareCount / per(of)).toFixed(1)}x`
    const own = [per('cpuPercent').toFixed(2), per('pssMb').toFixed(1), cost.cpuPercent.toFixed(0), cost.pssMb.toFixed(0)]
    const against = control ? [times('cpuPercent'), times('pssMb'), control.cpuPercent.toFixed(1)] : []
    return [`${kind.name}, ${name}`, `${channels}`, `${processes}`, ...own, ...against]
  }
  const rows = KINDS.flatMap((kind) => [...ours, ...theirs].filter((row) => row.kind === kind)).map(line)
  const heading = ['engines', 'channels', 'processes', 'CPU % each', 'PSS MB each', 'CPU % all', 'PSS MB all']
  return table([...heading, 'bare CPU / ours', 'bare PSS / ours', 'Skipcast process, CPU %'], rows)
}
