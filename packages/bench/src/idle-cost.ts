import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Home } from '@skipcast/runtime'
import { apiClient, processesOf, startSkipcast, summarise, temporaryHome, toneFile, untilReady } from '@skipcast/testing'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Benchmark } from './benchmark.ts'
import { homeBroker } from './home-broker.ts'
import { costOf, withDescendants, type Cost } from './process-cost.ts'
import { repeat } from './rounds.ts'
import { table } from './table.ts'
import { verdict } from './verdict.ts'

const CLIENTS = fileURLToPath(new URL('kafkajs-clients.ts', import.meta.url))
/** What was put off until after the start is over by then. */
const SETTLE_MS = 15_000
const ON_AIR_TIMEOUT_MS = 30_000
const TARGET_PERCENT = 2

/** Which of the children a process is, by what stands in its command line. */
const CHILDREN = {
  'Kafka (its JVM)': 'java ',
  PostgreSQL: 'postgres',
  Icecast: 'icecast2 ',
  'Liquidsoap, all engines': 'liquidsoap ',
}

type Processes = Readonly<Record<string, readonly number[]>>

export const idleCost: Benchmark<{ rounds: number; seconds: number; clients: number }> = {
  name: 'idle-cost',
  summary: 'CPU and memory of an `all` process that has nothing to do, or one channel; of kafkajs as it comes, and calmed',
  settings: { rounds: 5, seconds: 12, clients: 7 },
  async run({ rounds, seconds, clients }, say) {
    await using home = await temporaryHome()
    const file = join(home.path, 'tone.mp3')
    await toneFile(file, { frequencyHz: 440, seconds: 60 })
    await using server = await startSkipcast(home.path)
    await untilReady(server)
    await using plain = await idleClients(home, 'plain', clients)
    await using calm = await idleClients(home, 'calm', clients)
    const kafkajs = { plain: `kafkajs as it comes, ${clients} consumers`, calm: `kafkajs calmed, ${clients} consumers` }
    await sleep(SETTLE_MS)

    say(`nothing to do, ${rounds} times ${seconds} s`)
    const ours = 'Skipcast `all`, nothing to do'
    const idle = await measure(
      { [ours]: [server.pid], [kafkajs.plain]: [plain.pid], [kafkajs.calm]: [calm.pid] },
      rounds,
      seconds,
    )

    say(`one channel on air, ${rounds} times ${seconds} s`)
    const api = await apiClient(server.apiUrl, home.path)
    await api.channel({ name: 'Measured', slug: 'measured' }, [file])
    await api.call('POST', '/api/channels/measured/stream/start')
    await api.untilPhase('measured', 'on_air', ON_AIR_TIMEOUT_MS)
    await sleep(SETTLE_MS)
    const onAir = 'Skipcast `all`, one channel on air'
    const playing = await measure({ [onAir]: [server.pid], ...(await childrenOf(home)) }, rounds, seconds)

    const cpu = (name: string) => idle.get(name)!.cpuPercent
    const times = cpu(kafkajs.plain) / cpu(kafkajs.calm)
    const notes: Readonly<Record<string, string>> = {
      [ours]: verdict(cpu(ours) <= TARGET_PERCENT, `≤ ${TARGET_PERCENT} %`),
      [kafkajs.plain]: `${times.toFixed(1)}x of calmed`,
    }
    const rows = [...idle, ...playing].map(([name, { cpuPercent, pssMb }]) => {
      return [name, cpuPercent.toFixed(2), pssMb.toFixed(0), notes[name] ?? '']
    })
    return table(['idle, medians', 'CPU, % of a core', 'PSS, MB', 'target'], rows)
  },
}

/** The same moments for all of them, so that whatever else the machine does weighs on all alike. */
async function measure(processes: Processes, rounds: number, seconds: number): Promise<Map<string, Cost>> {
  const names = Object.keys(processes)
  const costs = await repeat(rounds, () => Promise.all(names.map((name) => costOf(processes[name]!, seconds * 1000))))
  const median = (index: number, of: keyof Cost) => summarise(costs.map((round) => round[index]![of])).p50
  return new Map(names.map((name, index) => [name, { cpuPercent: median(index, 'cpuPercent'), pssMb: median(index, 'pssMb') }]))
}

async function childrenOf(home: Home): Promise<Processes> {
  const all = await processesOf(home.path)
  const found = Object.entries(CHILDREN).map(async ([name, program]) => {
    const pids = all.filter(({ command }) => command.includes(program)).map(({ pid }) => pid)
    return [`its ${name}`, await withDescendants(pids)] as const
  })
  return Object.fromEntries(await Promise.all(found))
}

async function idleClients(home: Home, cure: 'plain' | 'calm', clients: number): Promise<{ pid: number } & AsyncDisposable> {
  const args = [CLIENTS, await homeBroker(home), cure, String(clients)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(child, 'exit')
  await Promise.race([once(child.stdout, 'data'), ended])
  if (child.exitCode !== null) throw new Error(`The process with kafkajs ended with ${child.exitCode}`)
  return {
    pid: child.pid!,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
