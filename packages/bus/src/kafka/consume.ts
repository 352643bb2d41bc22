import type { EventTopic, MessageOf } from '@skipcast/contracts'
import type { Logger } from '@skipcast/runtime'
import type { Consumer, KafkaMessage } from 'kafkajs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RetryPolicy } from '../retry.ts'
import { settle } from '../settle.ts'
import { within, type OpenLine } from './client.ts'
import { committer } from './committer.ts'
import type { BuryLetter } from './dead-letters.ts'
import { lane, type Lane } from './lane.ts'
import type { Link } from './link.ts'
import { keepReading, type Reader } from './session.ts'
import type { TopicSetup } from './topic-setup.ts'

/** The partitions of a member that is gone wait so long for another; Kafka allows no less, unless told otherwise. */
const SESSION_MS = 6000
const HEARTBEAT_MS = 2000
/** The longer, the less an idle process does, and the longer closing takes. */
const WAIT_MS = 1000
/** A partition whose lane holds more records is not read on, until it holds LOW_LANE. */
const FULL_LANE = 1000
const LOW_LANE = 200
/** How long the next question to Kafka waits for the records in hand. */
const HOLD_MS = 500
/** How long the end of a session waits for the handlers that run. */
const CLOSE_GRACE_MS = 5000

export interface ConsumeOptions<T extends EventTopic> {
  readonly openLine: OpenLine
  readonly topics: TopicSetup
  readonly link: Link
  readonly logger: Logger
  readonly bury: BuryLetter
  readonly retry: RetryPolicy
  readonly topic: T
  readonly topicName: string
  readonly group: string
  readonly handle: (message: MessageOf<T>) => Promise<void>
}

interface Received {
  readonly key: string
  readonly value: string | null
  readonly partition: number
  readonly message: KafkaMessage
}

/**
 * Hands out the records of an events topic, one lane per partition.
 *
 *   Kafka ──batch──► lane of the partition ──one at a time──► handler ──► committer ──► Kafka
 *
 * kafkajs asks for more, and says that it lives, only between batches; so it is held up for HOLD_MS at most. That is enough for
 * handlers of usual speed to be through before a rebalance takes effect, and a record that is tried for an hour delays its own
 * partition only.
 */
export function consumeEvents<T extends EventTopic>(options: ConsumeOptions<T>): AsyncDisposable {
  return keepReading({
    ...options,
    part: `consume ${options.topicName} as ${options.group}`,
    membership: { group: () => options.group, sessionMs: SESSION_MS, heartbeatMs: HEARTBEAT_MS, waitMs: WAIT_MS, leaves: true },
    reader: (consumer) => reader(options, consumer),
  })
}

function reader<T extends EventTopic>(options: ConsumeOptions<T>, consumer: Consumer): Reader {
  const { topic, topicName, group } = options
  const logger = options.logger.child({ topic, group })
  let lanes = new Map<number, Lane<Received>>()
  /** Resolves once the lanes of earlier assignments have let go of their records. */
  let before: Promise<unknown> = Promise.resolve()
  let isEnding = false

  const offsets = committer((done) => consumer.commitOffsets(done.map((offset) => ({ topic: topicName, ...offset }))), logger)
  const delivery = {
    topic,
    handle: options.handle,
    bury: ({ partition, message }: Received, reason: string) => options.bury({ topicName, partition, group, message, reason }),
    retry: options.retry,
    logger,
  }

  const closeLanes = () => {
    before = Promise.all([before, ...[...lanes.values()].map((own) => own[Symbol.asyncDispose]())])
    lanes = new Map()
  }
  const openLane = (partition: number) => {
    const free = before
    const own = lane<Received>(async (record, signal) => {
      await free
      const isSettled = await settle(delivery, record, signal)
      const isOurs = isEnding || lanes.get(partition) === own
      if (isSettled && isOurs) offsets.mark({ partition, offset: String(BigInt(record.message.offset) + 1n) })
      if (!isEnding && isOurs && own.length === LOW_LANE) consumer.resume([{ topic: topicName, partitions: [partition] }])
      return isSettled
    })
    lanes.set(partition, own)
    return own
  }

  return {
    assigned() {
      closeLanes()
      consumer.resume([{ topic: topicName }])
    },
    async read(batch) {
      const { partition } = batch
      const own = lanes.get(partition) ?? openLane(partition)
      own.push(
        batch.messages.map((message) => ({
          key: message.key?.toString('utf8') ?? '',
          value: message.value?.toString('utf8') ?? null,
          partition,
          message,
        })),
      )
      if (own.length > FULL_LANE) consumer.pause([{ topic: topicName, partitions: [partition] }])
      await Promise.race([own.idle, sleep(HOLD_MS, undefined, { ref: false })])
    },
    async ended(isLost) {
      isEnding = true
      closeLanes()
      await within(CLOSE_GRACE_MS, 'nothing: a handler runs on', before).catch(() => undefined)
      await offsets.finish(isLost)
    },
  }
}
