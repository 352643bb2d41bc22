import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { busEnv, kafkaBus } from '@skipcast/bus'
import { stamp, type StreamCommand } from '@skipcast/contracts'
import { healthBoard, silentLogger, waitFor } from '@skipcast/runtime'
import { startSkipcast, summarise, temporaryHome, untilReady } from '@skipcast/testing'
import type { Benchmark } from './benchmark.ts'
import { fakeIcecast, type FakeIcecast } from './fake-icecast.ts'
import { homeBroker } from './home-broker.ts'
import { costOf, type Cost } from './process-cost.ts'
import { repeat } from './rounds.ts'
import { table } from './table.ts'
import { verdict } from './verdict.ts'

const POLLER = fileURLToPath(new URL('json-poller.ts', import.meta.url))
const START_TIMEOUT_MS = 60_000
const WARM_UP_LOOKS = 10
const TARGET_PERCENT = 15

interface Contender extends AsyncDisposable {
  readonly name: string
  readonly pids: readonly number[]
  /** How many mounts were looked at so far. */
  looked(): number
}

export const metricsPoll: Benchmark<{ servers: number; mounts: number; rounds: number; seconds: number }> = {
  name: 'metrics-poll',
  summary: 'CPU of reading the listeners of many mounts once per second, and of asking the public page for each',
  settings: { servers: 4, mounts: 1000, rounds: 5, seconds: 8 },
  async run({ servers, mounts, rounds, seconds }, say) {
    await using home = await temporaryHome()
    await using server = await startSkipcast(home.path, { SERVER_ROLES: 'api,media,kafka' })
    await untilReady(server)
    const broker = await homeBroker(home)
    const perServer = Math.ceil(mounts / servers)
    const names = Array.from({ length: servers }, (_, at) => Array.from({ length: perServer }, (__, index) => mountOf(at, index)))
    await makeKnown(broker, names.flat())

    await using owned = new AsyncDisposableStack()
    const contenders = [
      owned.use(await metricsRole('Skipcast, one Icecast', [names.flat()], broker)),
      owned.use(await metricsRole(`Skipcast, ${servers} Icecasts`, names, broker)),
      owned.use(await jsonPoller(`public JSON page, ${servers} Icecasts, one by one`, names)),
    ]
    say(`${mounts} mounts, ${rounds} times ${seconds} s`)
    const looks = await repeat(rounds, () => Promise.all(contenders.map((contender) => look(contender, seconds))))
    const median = (index: number, of: keyof Look) => summarise(looks.map((round) => round[index]![of])).p50

    const rows = contenders.map(({ name }, index) => {
      const [cpu, rate, pss] = [median(index, 'cpuPercent'), median(index, 'perSecond'), median(index, 'pssMb')]
      const isOurs = index < 2
      const met = cpu <= TARGET_PERCENT && rate >= 0.95 * mounts
      return [
        name,
        rate.toFixed(0),
        cpu.toFixed(1),
        pss.toFixed(0),
        isOurs ? verdict(met, `≤ ${TARGET_PERCENT} % for ${mounts}/s`) : '',
        isOurs ? `${(median(2, 'cpuPercent') / median(2, 'perSecond') / (cpu / rate)).toFixed(1)}x` : '',
      ]
    })
    return table(['medians', 'mounts/s', 'CPU, % of a core', 'PSS, MB', 'target', 'CPU per mount, JSON / ours'], rows)
  },
}

interface Look extends Cost {
  readonly perSecond: number
}

async function look(contender: Contender, seconds: number): Promise<Look> {
  const [before, startedAt] = [contender.looked(), performance.now()]
  const cost = await costOf(contender.pids, seconds * 1000)
  return { ...cost, perSecond: ((contender.looked() - before) / (performance.now() - startedAt)) * 1000 }
}

/** One process of the role `metrics` for all of these Icecasts. */
async function metricsRole(name: string, mounts: readonly (readonly string[])[], broker: string): Promise<Contender> {
  await using owned = new AsyncDisposableStack()
  const fakes: FakeIcecast[] = []
  for (const own of mounts) fakes.push(owned.use(await fakeIcecast(own)))
  const home = owned.use(await temporaryHome())
  const role = owned.use(
    await startSkipcast(home.path, {
      SERVER_ROLES: 'metrics',
      KAFKA_BROKER: broker,
      METRICS_ICECASTS: fakes.map(({ port }) => `127.0.0.1:${port}`).join(),
      ICECAST_PASSWORD: 'unused',
    }),
  )
  const looksOften = () => fakes.every(({ asked }) => asked.xml >= WARM_UP_LOOKS)
  await waitFor('the role to look', looksOften, { timeoutMs: START_TIMEOUT_MS })
  const stop = owned.move()
  const looked = () => fakes.reduce((sum, { asked }, index) => sum + asked.xml * mounts[index]!.length, 0)
  return { name, pids: [role.pid], looked, [Symbol.asyncDispose]: () => stop.disposeAsync() }
}

async function jsonPoller(name: string, mounts: readonly (readonly string[])[]): Promise<Contender> {
  await using owned = new AsyncDisposableStack()
  const fakes: FakeIcecast[] = []
  for (const own of mounts) fakes.push(owned.use(await fakeIcecast(own)))
  const args = [POLLER, String(mounts[0]!.length), ...fakes.map(({ port }) => String(port))]
  const child = spawn(process.execPath, args, { stdio: 'ignore' })
  const ended = once(child, 'exit')
  owned.defer(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const looked = () => fakes.reduce((sum, { asked }) => sum + asked.json, 0)
  const warm = () => looked() >= mounts.flat().length
  await waitFor('the poller to look', warm, { timeoutMs: START_TIMEOUT_MS })
  const stop = owned.move()
  return { name, pids: [child.pid!], looked, [Symbol.asyncDispose]: () => stop.disposeAsync() }
}

function mountOf(server: number, index: number): string {
  return `/channel-${server}-${index}`
}

/** Only mounts of known channels count: the commands say which they are. */
async function makeKnown(broker: string, mounts: readonly string[]): Promise<void> {
  await using bus = kafkaBus(busEnv.parse({ KAFKA_BROKER: broker }), { logger: silentLogger(), health: healthBoard() })
  const commands = mounts.map((mount): StreamCommand => {
    const slug = mount.slice(1)
    const common = stamp({ application: 'skipcast', environment: 'bench' }, Date.now(), `${slug}:1`)
    const channel = { channel_id: slug, channel_slug: slug, generation: 1, epoch: 1, server_id: null, mount }
    return { ...common, ...channel, event: 'stop_stream' }
  })
  await bus.publish(
    'streamCommands',
    commands.map((value) => ({ key: value.channel_id, value })),
  )
}
