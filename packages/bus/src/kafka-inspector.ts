import { healthBoard, type Logger } from '@skipcast/runtime'
import type { BusConfig } from './config.ts'
import { kafkaAdmin } from './kafka/admin.ts'
import { kafkaLines } from './kafka/client.ts'
import { deadLetterDesk, type DeadLetterDesk } from './kafka/dead-letter-desk.ts'
import { link } from './kafka/link.ts'
import { offsetMarker } from './kafka/offset-marker.ts'
import { publisher } from './kafka/publisher.ts'
import { readRecords, type ReadOptions } from './kafka/read-records.ts'
import { topicSetup } from './kafka/topic-setup.ts'

const LIST_LIMIT_MS = 10_000

/** Looks into Kafka from outside, for operators: no group of the services notices. */
export interface KafkaInspector extends AsyncDisposable {
  /** The names of all topics there are. Rejects with BUS_UNAVAILABLE. */
  topicNames(): Promise<string[]>
  /** Hands out records as they stand until `signal` aborts. Rejects with BUS_UNAVAILABLE. */
  read(options: Pick<ReadOptions, 'topicNames' | 'what' | 'signal' | 'onRecord'>): Promise<void>
  readonly deadLetters: DeadLetterDesk
}

export function kafkaInspector(config: BusConfig, logger: Logger): KafkaInspector {
  const openLine = kafkaLines({ ...config, logger })
  const admin = kafkaAdmin(openLine)
  const topics = topicSetup({ admin, names: config.topicNames, replication: config.replication, logger })
  const records = publisher(openLine, topics, link(logger, healthBoard()), 'publish')
  const read: KafkaInspector['read'] = (options) =>
    readRecords({ openLine, admin, group: `${config.consumerGroup}-inspector`, ...options })

  return {
    topicNames: () => admin.ask('which topics there are', LIST_LIMIT_MS, (asked) => asked.listTopics()),
    read,
    deadLetters: deadLetterDesk({
      admin,
      publisher: records,
      group: config.consumerGroup,
      openMarker: (groupId, topic) => offsetMarker(openLine, groupId, topic),
      read,
    }),
    async [Symbol.asyncDispose]() {
      await records[Symbol.asyncDispose]()
      await admin[Symbol.asyncDispose]()
    },
  }
}
