import { startSkipcast, summarise, temporaryHome, untilReady } from '@skipcast/testing'
import type { Benchmark } from './benchmark.ts'
import { channelSwitches, type Commanded } from './channel-switches.ts'
import { homeBroker } from './home-broker.ts'
import { bareRoad, busRoad, type Road } from './kafka-roads.ts'
import { paced } from './paced.ts'
import { table } from './table.ts'
import { verdict } from './verdict.ts'

const TARGET_P99_MS = 10
const ROUNDS = 5
/** Of the asked rate, the last answers included. */
const RATE_REACHED = 0.95
/** The first seconds make the machine's code warm: so many at the lowest rate, and then at the highest. */
const WARM_UP_SECONDS = 3
/** The limit of the API for one token is another matter. */
const REQUESTS_PER_MINUTE = 1_000_000

export const eventLatency: Benchmark<{ low: number; high: number; step: number; most: number; seconds: number }> = {
  name: 'event-latency',
  summary: "the API's 202 → an agent in another process has the command; the highest rate that keeps to the target; bare kafkajs",
  settings: { low: 50, high: 500, step: 100, most: 1000, seconds: 15 },
  async run({ low, high, step, most, seconds }, say) {
    await using home = await temporaryHome()
    // No agent in it: this process stands for the agent of another server, and nothing shall really start.
    const variables = { SERVER_ROLES: 'api,media,kafka', API_RATE_LIMIT: `${REQUESTS_PER_MINUTE}` }
    await using server = await startSkipcast(home.path, variables)
    await untilReady(server)
    const rows: string[][] = []

    await using switches = await channelSwitches(home, server)
    for (const rate of [low, high]) await paced(rate, WARM_UP_SECONDS, () => switches.press())
    const meets = async (perSecond: number) => {
      say(`${perSecond} commands a second for ${seconds} s`)
      const rounds: Commanded[] = []
      while (rounds.length < ROUNDS) rounds.push(await switches.measure(perSecond, seconds / ROUNDS))
      const rate = summarise(rounds.map((round) => round.rate)).p50
      const [p99, isMet] = judge(rounds, rate / perSecond)
      const add = (name: string, values: readonly number[], ...more: string[]) =>
        rows.push([...row(`${name}, ${perSecond}/s`, rate, values), ...more])
      add(
        'request → 202',
        rounds.flatMap(({ answers }) => answers),
      )
      add(
        '202 → agent',
        rounds.flatMap(({ arrivals }) => arrivals),
        p99.toFixed(1),
        verdict(isMet, `≤ ${TARGET_P99_MS} ms at this rate`),
      )
      return isMet
    }
    await meets(low)
    let highest = (await meets(high)) ? high : null
    const isUp = highest !== null
    for (let rate = isUp ? high + step : high - step; rate > low && rate <= most; rate += isUp ? step : -step) {
      const isMet = await meets(rate)
      if (isMet) highest = rate
      if (isMet !== isUp) break
    }

    const broker = await homeBroker(home)
    await using ours = await busRoad(broker)
    await using theirs = await bareRoad(broker)
    const took = new Map<Road, number[]>([ours, theirs].map((road) => [road, []]))
    await Promise.all([ours, theirs].map((road) => paced(low, WARM_UP_SECONDS, async () => void (await road.send()))))
    const rates = new Map<Road, number>()
    for (let round = 0; round < ROUNDS; round++) {
      for (const road of [ours, theirs]) {
        say(`publish → consume, ${high} messages a second`)
        rates.set(road, await paced(high, Math.ceil(seconds / ROUNDS), async () => void took.get(road)!.push(await road.send())))
      }
    }
    const [own, bare] = [ours, theirs].map((road) => summarise(took.get(road)!))
    const times = `bare p99 ${(bare!.p99 / own!.p99).toFixed(1)}x`
    rows.push([...row(`publish → consume, ${high}/s`, rates.get(ours)!, took.get(ours)!), '', times])
    rows.push(row(`bare kafkajs, ${high}/s`, rates.get(theirs)!, took.get(theirs)!))
    const found = `Highest rate with p99 ≤ ${TARGET_P99_MS} ms: ${highest === null ? `below ${low + step}` : highest}/s (steps of ${step}).`
    return `${table(['ms, on real Kafka', 'n', 'reached/s', 'p50', 'p99', 'max', 'p99, middle round', 'target'], rows)}\n\n${found}`
  },
}

function row(name: string, rate: number, values: readonly number[]): string[] {
  const { count, p50, p99, max } = summarise(values)
  return [name, `${count}`, rate.toFixed(0), ...[p50, p99, max].map((value) => value.toFixed(1))]
}

/**
 * The p99 of the middle round, as whatever else the machine does spoils some; and whether it will do. A rate that was not reached is no latency
 * met: the command then waits with the request, before the 202.
 */
function judge(rounds: readonly Commanded[], reached: number): [number, boolean] {
  const p99 = summarise(rounds.map(({ arrivals }) => summarise(arrivals).p99)).p50
  return [p99, p99 <= TARGET_P99_MS && reached >= RATE_REACHED]
}
