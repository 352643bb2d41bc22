import { join } from 'node:path'
import { busEnv, kafkaBus } from '@skipcast/bus'
import { stamp } from '@skipcast/contracts'
import { AppError, healthBoard, silentLogger, startLoop, type Home } from '@skipcast/runtime'
import { apiClient, toneFile, type SkipcastProcess } from '@skipcast/testing'
import { channelsOf } from './channels.ts'
import { homeBroker } from './home-broker.ts'
import { paced } from './paced.ts'

const CHANNELS = 200
const ARRIVAL_TIMEOUT_MS = 30_000
const HEARTBEAT_EVERY_MS = 500
const SERVER_ID = 'bench'

/** What commands took at a rate. */
export interface Commanded {
  /** How many a second there were. */
  readonly rate: number
  /** From the request to its 202, in ms. */
  readonly answers: readonly number[]
  /** From the 202 to the agent having the command, in ms. */
  readonly arrivals: readonly number[]
}

export interface ChannelSwitches extends AsyncDisposable {
  /** Turns some channel on or off, and comes back once the agent has the command. Null while all are being turned. */
  press(): Promise<void> | null
  measure(perSecond: number, seconds: number): Promise<Commanded>
}

/** Channels that are turned on and off, and an agent's view of the commands. That agent tells of itself, so that channels are placed there. */
export async function channelSwitches(home: Home, server: SkipcastProcess): Promise<ChannelSwitches> {
  await using owned = new AsyncDisposableStack()
  const api = await apiClient(server.apiUrl, home.path)
  const file = await toneFile(join(home.path, 'tone.mp3'), { frequencyHz: 440, seconds: 5 })
  const slugs = await channelsOf(api, CHANNELS, file)
  const idle = slugs.map((slug) => ({ slug, turnsOn: true }))

  const config = busEnv.parse({ KAFKA_BROKER: await homeBroker(home) })
  const bus = owned.use(kafkaBus(config, { logger: silentLogger(), health: healthBoard() }))
  const about = { server_id: SERVER_ID, started_at: Date.now(), labels: {}, capacity: CHANNELS, load: 0, engines: 0, channels: 0 }
  const beat = () => {
    const envelope = stamp({ application: 'skipcast', environment: 'bench' }, Date.now(), `${SERVER_ID}:${Date.now()}`)
    const value = { ...envelope, event: 'server_heartbeat' as const, ...about, versions: {} }
    return bus.publish('serverHeartbeats', [{ key: SERVER_ID, value }])
  }
  owned.use(startLoop(beat, { everyMs: HEARTBEAT_EVERY_MS, onError: () => {} }))
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
