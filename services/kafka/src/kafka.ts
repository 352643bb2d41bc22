import { backoff, isAppError, messageOf, startLoop, waitFor, type HealthBoard, type Home, type Logger } from '@skipcast/runtime'
import type { KafkaConfig } from './config.ts'
import { localBroker } from './local-broker.ts'
import { fetchKafka } from './programs.ts'

export { kafkaEnv, type KafkaConfig } from './config.ts'
export { fetchKafka, kafkaAvailability, type KafkaAvailability } from './programs.ts'

const LOOK_EVERY_MS = 1000
const ANSWER_LIMIT_MS = 5000
/** Longer than a start takes on a slow machine: a broker that has not answered by then is a trouble to tell of. */
const START_LIMIT_MS = 60_000
/** Clients that found no broker a moment before it was there tell so up to a moment later. */
const FOUND_WITHIN_MS = 5000
/** A broker that answered for so long counts as well: the next restart is immediate again. */
const WELL_AFTER_MS = 60_000

/** What the role needs from its process; a ServiceContext without the bus, which can't be there before the broker is. */
export interface KafkaContext {
  readonly home: Home
  readonly logger: Logger
  readonly health: HealthBoard
  readonly onStop: 'stop' | 'hand-over'
}

export interface KafkaRole extends AsyncDisposable {
  /** `host:port` by which this machine's own processes reach the broker: their KAFKA_BROKER. */
  readonly broker: string
  /** True from the beginning until the broker has answered for the first time and its clients had time to find it, until it ends, or takes too long. */
  readonly isStarting: boolean
}

/**
 * Runs the one broker of this home and keeps it running. Resolves once the process exists; it answers some two seconds later,
 * which `health` tells as `kafka`. A broker that already runs with the same settings is adopted. Closing stops it, or leaves it to the
 * next process (`onStop`). Rejects with PORT_TAKEN, PROGRAM_MISSING or COMMAND_FAILED (see `fetchKafka`).
 */
export async function startKafka(config: KafkaConfig, context: KafkaContext): Promise<KafkaRole> {
  const { health } = context
  const logger = context.logger.child({ role: 'kafka' })
  await using owned = new AsyncDisposableStack()
  const broker = await localBroker(config, context.home, await fetchKafka(context.home, logger))
  const address = `${broker.host}:${broker.port}`

  health.report('kafka', 'the broker starts')
  const how = await broker.ensureRunning()
  logger.info({ address }, how === 'adopted' ? 'a running broker was adopted' : 'the broker starts')
  if (context.onStop === 'stop') owned.defer(() => broker.stop())

  const closing = new AbortController()
  const restart = backoff({ firstMs: 500, mostMs: 30_000 })
  let nextStartAt = 0
  let answersSince: number | null = null
  let startingUntil = performance.now() + START_LIMIT_MS
  const isStarting = () => performance.now() < startingUntil

  const pass = async () => {
    if (!(await broker.isRunning())) {
      if (performance.now() < nextStartAt) return
      nextStartAt = performance.now() + restart.next()
      answersSince = null
      startingUntil = 0
      health.report('kafka', 'the broker had ended and starts again')
      logger.warn('the broker had ended and is started again')
      await broker.ensureRunning()
    }
    const outcome = await waitFor(
      'the broker to answer',
      async () => ((await broker.answers()) ? 'answers' : !(await broker.isRunning()) && 'ended'),
      { timeoutMs: ANSWER_LIMIT_MS, everyMs: 100, signal: closing.signal },
    )
    if (outcome === 'ended') return health.report('kafka', 'the broker ended before it answered: see kafka/logs in the home')
    health.report('kafka', null)
    if (answersSince === null) {
      logger.info({ address }, 'the broker answers')
      answersSince = performance.now()
      startingUntil = Math.min(startingUntil, answersSince + FOUND_WITHIN_MS)
    }
    if (performance.now() - answersSince > WELL_AFTER_MS) restart.reset()
  }
  const loop = startLoop(pass, {
    everyMs: LOOK_EVERY_MS,
    onError(error) {
      if (closing.signal.aborted) return
      answersSince = null
      if (isStarting() && isAppError(error, 'TIMEOUT')) return logger.info('the broker is still starting')
      health.report('kafka', messageOf(error))
      if (isAppError(error)) logger.warn({ problem: messageOf(error) }, 'the broker is not well')
      else logger.error({ err: error }, 'the broker is not well')
    },
  })
  owned.use(loop)
  owned.defer(() => closing.abort())

  const running = owned.move()
  return {
    broker: address,
    get isStarting() {
      return isStarting()
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
