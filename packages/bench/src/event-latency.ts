import { join } from 'node:path'
import { busEnv, kafkaBus } from '@skipcast/bus'
import { AppError, healthBoard, silentLogger, type Home } from '@skipcast/runtime'
import { apiClient, startSkipcast, summarise, temporaryHome, toneFile, untilReady, type SkipcastProcess } from '@skipcast/testing'
import type { Benchmark } from './benchmark.ts'
import { channelsOf } from './channels.ts'
import { homeBroker } from './home-broker.ts'
import { bareRoad, busRoad, type Road } from './kafka-roads.ts'
import { paced } from './paced.ts'
import { table } from './table.ts'
import { verdict } from './verdict.ts'

const CHANNELS = 200
const ARRIVAL_TIMEOUT_MS = 30_000
const TARGET_P99_MS = 10
const ROUNDS = 3
/** Of the asked rate, the last answers included. */
const RATE_REACHED = 0.95
/** The first seconds make the machine's code warm. */
const WARM_UP_SECONDS = 3

interface Command {
  readonly rate: number
  readonly answers: readonly number[]
  readonly arrivals: readonly number[]
}

export const eventLatency: Benchmark<{ low: number; middle: number; high: number; seconds: number }> = {
  name: 'event-latency',
  summary: "the API's 202 → an agent in another process has the command; publish → consume, and bare kafkajs",
  settings: { low: 50, middle: 150, high: 500, seconds: 10 },
  async run({ low, middle, high, seconds }, say) {
    await using home = await temporaryHome()
    // No agent in it: this process stands for the agent of another server, and nothing shall really start.
    await using server = await startSkipcast(home.path, { SERVER_ROLES: 'api,kafka' })
    await untilReady(server)
    const rows: string[][] = []

    await using switches = await channelSwitches(home, server)
    await paced(low, WARM_UP_SECONDS, () => switches.press())
    for (const perSecond of [low, middle, high]) {
      say(`${perSecond} commands a second for ${seconds} s`)
      const { rate, answers, arrivals } = await switches.measure(perSecond, seconds)
      rows.push(row(`request → 202, ${perSecond}/s`, rate, answers))
      rows.push([...row(`202 → agent, ${perSecond}/s`, rate, arrivals), judge(arrivals, rate / perSecond)])
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
    rows.push([...row(`publish → consume, ${high}/s`, rates.get(ours)!, took.get(ours)!), times])
    rows.push(row(`bare kafkajs, ${high}/s`, rates.get(theirs)!, took.get(theirs)!))
    return table(['ms, on real Kafka', 'n', 'reached/s', 'p50', 'p99', 'max', 'target p99'], rows)
  },
}

function row(name: string, rate: number, values: readonly number[]): string[] {
  const { count, p50, p99, max } = summarise(values)
  return [name, `${count}`, rate.toFixed(0), ...[p50, p99, max].map((value) => value.toFixed(1))]
}

/** A rate that was not reached is no latency met: the command then waits with the request, before the 202. */
function judge(arrivals: readonly number[], reached: number): string {
  const isFast = summarise(arrivals).p99 <= TARGET_P99_MS
  return verdict(isFast && reached >= RATE_REACHED, `≤ ${TARGET_P99_MS} ms at this rate`)
}

interface Switches extends AsyncDisposable {
  /** Turns some channel on or off, and comes back once the agent has the command. Null while all are being turned. */
  press(): Promise<void> | null
  measure(perSecond: number, seconds: number): Promise<Command>
}

/** Channels that are turned on and off, and an agent's view of the commands. */
async function channelSwitches(home: Home, server: SkipcastProcess): Promise<Switches> {
  await using owned = new AsyncDisposableStack()
  const api = await apiClient(server.apiUrl, home.path)
  const file = await toneFile(join(home.path, 'tone.mp3'), { frequencyHz: 440, seconds: 5 })
  const slugs = await channelsOf(api, CHANNELS, file)
  const idle = slugs.map((slug) => ({ slug, turnsOn: true }))

  const config = busEnv.parse({ KAFKA_BROKER: await homeBroker(home) })
  const bus = owned.use(kafkaBus(config, { logger: silentLogger(), health: healthBoard() }))
  const view = bus.watch('streamCommands')
  await view.caughtUp
  const arrivals = new Map<string, PromiseWithResolvers<number>>()
  /** Whichever comes first, the command or the 202 that names it. */
  const arrivalOf = (id: string) => {
    const arrival = arrivals.get(id) ?? Promise.withResolvers<number>()
    arrivals.set(id, arrival)
    return arrival
  }
  view.onChange((key) => {
    const command = key === null ? undefined : view.values.get(key)
    if (command) arrivalOf(command.id).resolve(performance.now())
  })
  let took: { answerMs: number; arrivalMs: number }[] = []

  const turn = async (slug: string, turnsOn: boolean) => {
    const askedAt = performance.now()
    const { status, body } = await api.call('POST', `/api/channels/${slug}/stream/${turnsOn ? 'start' : 'stop'}`)
    const answeredAt = performance.now()
    if (status !== 202) throw new Error(`The API answered ${status}`)
    const id: string = body.command.id
    const arrivedAt = await within(ARRIVAL_TIMEOUT_MS, arrivalOf(id).promise)
    arrivals.delete(id)
    took.push({ answerMs: answeredAt - askedAt, arrivalMs: arrivedAt - answeredAt })
    idle.push({ slug, turnsOn: !turnsOn })
  }
  const press = () => {
    const own = idle.shift() // the one that has rested longest
    return own ? turn(own.slug, own.turnsOn) : null
  }
  const stop = owned.move()
  return {
    press,
    async measure(perSecond, seconds) {
      took = []
      const rate = await paced(perSecond, seconds, press)
      return { rate, answers: took.map(({ answerMs }) => answerMs), arrivals: took.map(({ arrivalMs }) => arrivalMs) }
    },
    [Symbol.asyncDispose]: () => stop.disposeAsync(),
  }
}

async function within<T>(limitMs: number, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new AppError('TIMEOUT', 'A command never came to the agent')), limitMs)
  return Promise.race([promise, late.promise]).finally(() => clearTimeout(timer))
}
