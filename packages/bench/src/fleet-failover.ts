import { waitFor } from '@skipcast/runtime'
import { gapMeter, summarise } from '@skipcast/testing'
import { startFleet, whyNoLan, type Fleet } from '@skipcast/testing/fleet'
import type { Benchmark } from './benchmark.ts'
import { table } from './table.ts'
import { verdict } from './verdict.ts'

const TARGETS = { detectionMs: 3000, audibleMs: 6000, replicaMs: 500, drainMs: 10_000 }
const SETTLE_TIMEOUT_MS = 120_000
const LOOK_EVERY_MS = 20

/** One way in which server a comes to have no channels any more. */
interface Leaving {
  readonly name: string
  readonly replicas: 1 | 2
  /** What its listeners may miss, in ms. */
  readonly targetMs: number
  strike(fleet: Fleet): Promise<unknown>
  undo(fleet: Fleet): Promise<unknown>
}

const lost = {
  name: 'lost without a word',
  strike: ({ agents: [a] }: Fleet) => a.host.setLink('down'),
  undo: ({ agents: [a] }: Fleet) => a.host.setLink('up'),
}
const killed = {
  name: 'all killed',
  strike: ({ agents: [a] }: Fleet) => a.kill(),
  undo: ({ agents: [a] }: Fleet) => a.start(),
}
const drained = {
  name: 'drained',
  strike: ({ api }: Fleet) => api.call('POST', '/api/servers/a/drain'),
  undo: ({ api }: Fleet) => api.call('POST', '/api/servers/a/undrain'),
}
const leavings: readonly Leaving[] = [
  { ...lost, replicas: 1, targetMs: TARGETS.audibleMs },
  { ...killed, replicas: 1, targetMs: TARGETS.audibleMs },
  { ...drained, replicas: 1, targetMs: TARGETS.replicaMs },
  { ...lost, replicas: 2, targetMs: TARGETS.replicaMs },
  { ...killed, replicas: 2, targetMs: TARGETS.replicaMs },
]

export const fleetFailover: Benchmark<{ channels: number; rounds: number; replicas: number }> = {
  name: 'fleet-failover',
  summary:
    'a server of a fleet is lost or drained: until that is noticed, and until its channels are heard from others (takes root)',
  settings: { channels: 20, rounds: 3, replicas: 2 },
  async run({ channels, rounds, replicas }, say) {
    const obstacle = await whyNoLan()
    if (obstacle !== null) throw new Error(`No fleet can be had here: ${obstacle}`)
    await using fleet = await startFleet({ victims: channels, others: 1, listeners: 1 })
    const rows: string[][] = []
    for (const leaving of leavings.filter((one) => one.replicas <= replicas)) {
      const found: Left[] = []
      for (let round = 1; round <= rounds; round++) {
        say(`${leaving.name}, replicas ${leaving.replicas}: ${round} of ${rounds}`)
        await fleet.arrange()
        if (replicas > 1) await replicate(fleet, leaving.replicas)
        found.push(await leave(fleet, leaving))
      }
      if (replicas > 1) await replicate(fleet, 1)
      rows.push(rowOf(leaving, found))
    }
    const heading = [
      'what happens to a server',
      'noticed p50',
      'max',
      'no byte p50',
      'p99',
      'no programme p50',
      'p99',
      'target',
      'empty after, max',
      'dropped',
    ]
    return `${channels} channels, ${rounds} rounds, ms\n\n${table(heading, rows)}`
  },
}

interface Left {
  readonly noticedMs: number
  readonly emptyMs: number
  readonly noByte: readonly number[]
  readonly noProgramme: readonly number[]
  readonly dropped: number
}

async function leave(fleet: Fleet, leaving: Leaving): Promise<Left> {
  const listeners = fleet.victims.flatMap((channel) => channel.listeners)
  const closures = () => listeners.reduce((sum, listener) => sum + listener.closures.length, 0)
  const before = closures()
  const at = performance.now()
  await leaving.strike(fleet)
  const until = async (what: string, isSo: () => Promise<boolean>) => {
    await waitFor(what, isSo, { timeoutMs: SETTLE_TIMEOUT_MS, everyMs: LOOK_EVERY_MS })
    return performance.now() - at
  }
  const noticedMs = await until('it to be noticed', async () => (await fleet.server('a')).state !== 'open')
  const emptyMs = await until('it to have nothing', async () => (await fleet.server('a')).placed.channels === 0)
  await fleet.settled(SETTLE_TIMEOUT_MS)
  const noByte = listeners.map((listener) => gapMeter(listener).between(at).max)
  const noProgramme = listeners.map(({ sounds }) => longestHole(sounds, at))
  await leaving.undo(fleet)
  return { noticedMs, emptyMs, noByte, noProgramme, dropped: closures() - before }
}

/** The longest time between two arrivals of sound since then. */
function longestHole(sounds: readonly number[], at: number): number {
  const since = [sounds.findLast((moment) => moment <= at) ?? at, ...sounds.filter((moment) => moment > at)]
  return Math.max(...since.map((moment, index) => moment - (since[index - 1] ?? moment)))
}

/** Resolves once each of the victims has so many replicas, all on air. */
async function replicate(fleet: Fleet, replicas: 1 | 2): Promise<void> {
  for (const { slug } of fleet.victims) await fleet.api.call('PATCH', `/api/channels/${slug}/placement`, { replicas })
  for (const { slug } of fleet.victims)
    await waitFor(
      `${slug} to have ${replicas} replicas`,
      async () => {
        const { standby } = (await fleet.api.call('GET', `/api/channels/${slug}/stream/status`)).body.stream
        return replicas === 1 ? standby === null : standby?.phase === 'on_air'
      },
      { timeoutMs: SETTLE_TIMEOUT_MS },
    )
}

function rowOf({ name, replicas, targetMs }: Leaving, found: readonly Left[]): string[] {
  const ms = (value: number) => value.toFixed(0)
  const noticed = summarise(found.map(({ noticedMs }) => noticedMs))
  const noByte = summarise(found.flatMap((left) => left.noByte))
  const noProgramme = summarise(found.flatMap((left) => left.noProgramme))
  const empty = Math.max(...found.map(({ emptyMs }) => emptyMs))
  return [
    `${name}, replicas ${replicas}`,
    ms(noticed.p50),
    ms(noticed.max),
    ms(noByte.p50),
    ms(noByte.p99),
    ms(noProgramme.p50),
    ms(noProgramme.p99),
    verdict(noProgramme.p99 <= targetMs, `≤ ${targetMs}`),
    ms(empty),
    `${found.reduce((sum, { dropped }) => sum + dropped, 0)}`,
  ]
}
