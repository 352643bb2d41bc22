import type { EventTopic, StateTopic } from '@skipcast/contracts'
import type { HealthBoard, Logger } from '@skipcast/runtime'
import type { BusConfig } from './config.ts'
import { kafkaAdmin } from './kafka/admin.ts'
import { kafkaLines } from './kafka/client.ts'
import { consumeEvents } from './kafka/consume.ts'
import { deadLetters } from './kafka/dead-letters.ts'
import { link } from './kafka/link.ts'
import { publisher } from './kafka/publisher.ts'
import { topicSetup } from './kafka/topic-setup.ts'
import { watchState } from './kafka/watch.ts'
import type { Bus } from './ports.ts'
import { sharedViews } from './shared-views.ts'
import { defaultRetry, type RetryPolicy } from './retry.ts'
import { encode } from './wire.ts'

const PING_LIMIT_MS = 3000

/** What the bus is told by whoever makes it. */
export interface BusContext {
  readonly logger: Logger
  readonly health: HealthBoard
  /** True while nobody needs to be told that Kafka is away, as this process is just starting it. */
  readonly isBrokerStarting?: () => boolean
}

/** The bus on Kafka. It needs no broker to be made: everything connects when it can, and again after each outage. */
export function kafkaBus(config: BusConfig, context: BusContext & { readonly retry?: RetryPolicy }): Bus {
  const { topicNames: names, replication, consumerGroup } = config
  const logger = context.logger.child({ bus: 'kafka' })
  const openLine = kafkaLines({ ...config, logger })
  const health = link(logger, context.health, context.isBrokerStarting)
  const admin = kafkaAdmin(openLine)
  const topics = topicSetup({ admin, names, replication, logger })
  const records = publisher(openLine, topics, health, 'publish')
  // A request waits for the slowest of its partitions: who lives shall not seem dead because one of the others has no leader now.
  const heartbeats = publisher(openLine, topics, health, 'publish heartbeats')
  const shared = { openLine, admin, topics, link: health, logger, bury: deadLetters(records) }
  const views = sharedViews(<T extends StateTopic>(topic: T) =>
    watchState({ ...shared, topic, topicName: names[topic], group: consumerGroup }),
  )
  const consumers = new Set<AsyncDisposable>()

  return {
    kind: 'kafka',
    async publish(topic, outgoing) {
      const road = topic === 'serverHeartbeats' ? heartbeats : records
      await road.publish(
        names[topic],
        outgoing.map((record) => encode(topic, record)),
      )
    },
    consume<T extends EventTopic>({ topic, group, handle }: Parameters<typeof this.consume<T>>[0]) {
      const retry = context.retry ?? defaultRetry
      const consumer = consumeEvents({ ...shared, retry, topic, topicName: names[topic], group, handle })
      consumers.add(consumer)
      return consumer
    },
    watch: (topic) => views.watch(topic),
    async ping() {
      await admin.ask('a ping', PING_LIMIT_MS, (connected) => connected.describeCluster())
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([views, ...consumers].map((reader) => reader[Symbol.asyncDispose]()))
      await Promise.all([records, heartbeats].map((road) => road[Symbol.asyncDispose]()))
      await admin[Symbol.asyncDispose]()
    },
  }
}
