import type { BusConfig } from '@skipcast/bus'
import { fetchKafka, kafkaAvailability, type KafkaConfig } from '@skipcast/kafka'
import { AppError, messageOf, type Home, type Logger } from '@skipcast/runtime'
import { roles, type Role } from './config.ts'

/** Which road the services take, and whether this process runs the broker itself. */
export interface Transport {
  readonly bus: BusConfig
  readonly runBroker: boolean
}

/**
 * Kafka wherever it can be had: the one at `KAFKA_BROKER`, else the one-node broker of the role `kafka`. The in-memory bus
 * only where one process has every role: when asked for, or aloud when there is neither a broker nor a JVM.
 */
export async function chooseTransport(
  mine: ReadonlySet<Role>,
  bus: BusConfig,
  kafka: KafkaConfig | undefined,
  home: Home,
  logger: Logger,
  stop?: AbortSignal,
): Promise<Transport> {
  const alone = roles.every((role) => role === 'kafka' || mine.has(role))
  const inMemory = (why: string): Transport => {
    if (!alone) {
      throw new AppError(
        'CONFIG_INVALID',
        `${why}, but the in-memory bus serves only a process that has every role. Set KAFKA_BROKER.`,
      )
    }
    logger.warn(
      `${why}: running on the in-memory bus, on this machine alone. Events are lost at every stop; what is on air is not.`,
    )
    return { bus: { ...bus, kind: 'memory' }, runBroker: false }
  }
  if (bus.kind === 'memory') return inMemory('EVENT_BUS=memory')
  if (bus.brokers.length > 0) return { bus, runBroker: false }
  if (kafka) {
    const reason = await whyNoBroker(home, logger)
    stop?.throwIfAborted() // Ctrl-C ends the fetch as well: that is no lack of Kafka
    if (reason !== null) return inMemory(`No Kafka can be run here: ${reason}`)
  }
  const port = kafka?.port ?? (await home.port('kafka'))
  const host = kafka?.advertisedHost ?? '127.0.0.1'
  return { bus: { ...bus, brokers: [`${host}:${port}`] }, runBroker: kafka !== undefined }
}

/** Null once everything is there to run a broker, fetched if need be. */
async function whyNoBroker(home: Home, logger: Logger): Promise<string | null> {
  const availability = await kafkaAvailability(home)
  if (availability.kind === 'unavailable') return availability.reason
  try {
    await fetchKafka(home, logger)
    return null
  } catch (error) {
    return messageOf(error)
  }
}
