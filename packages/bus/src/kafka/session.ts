import { backoff } from '@skipcast/runtime'
import type { Batch, Consumer } from 'kafkajs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OpenLine } from './client.ts'
import type { Link } from './link.ts'
import type { TopicSetup } from './topic-setup.ts'

/** How a consumer and its group get along. */
interface Membership {
  /** The group to join, asked for at the start of each session. */
  readonly group: () => string
  /** A member that says nothing for so long is taken for dead, and its partitions go to others. */
  readonly sessionMs: number
  readonly heartbeatMs: number
  /**
   * How long Kafka holds a question for new records; it answers at once when there are any. kafkajs says that it lives only between two
   * questions. A partition that was paused is read on, and a group is left, only when the question of that time is answered.
   */
  readonly waitMs: number
  /** False: nobody waits for the partitions of a member that is gone, so it goes without a word. */
  readonly leaves: boolean
}

/** kafkajs asks for new records at least each `waitMs`; when it has not for so long, it is stuck, or never came to start. */
const SILENCE_LIMIT_MS = 30_000
/** How long a rebalance waits for a member to come along. */
const REBALANCE_LIMIT_MS = 15_000
const CONCURRENT_PARTITIONS = 16
const MAX_PARTITION_BYTES = 1024 * 1024

/** What reads during one session; it is made anew for the next. */
export interface Reader {
  /** The group has divided the partitions anew: what this member was reading is void, and what was not committed comes again. */
  assigned(): void
  /** The next records of one partition. Kafka is asked for more once this has resolved. */
  read(batch: Batch): Promise<void>
  /** The session ends; `isLost` when nothing can be committed any more. */
  ended(isLost: boolean): Promise<void>
}

export interface SessionOptions {
  readonly openLine: OpenLine
  readonly topics: TopicSetup
  readonly link: Link
  readonly topicName: string
  readonly part: string
  readonly membership: Membership
  readonly reader: (consumer: Consumer, fail: (error: unknown) => void) => Reader
}

/**
 * Keeps one consumer of one topic running until closed. kafkajs is never asked to get well by itself: when it gives up or falls
 * silent, the whole consumer is built anew, after a pause of two seconds at most.
 */
export function keepReading(options: SessionOptions): AsyncDisposable {
  const closing = new AbortController()
  const { part } = options
  const pause = backoff({ firstMs: 250, mostMs: 2000 })

  const run = async () => {
    while (!closing.signal.aborted) {
      try {
        await session(options, closing.signal, () => {
          pause.reset()
          options.link.up(part)
        })
      } catch (error) {
        if (closing.signal.aborted) return
        options.topics.doubt()
        options.link.down(part, error)
        await sleep(pause.next(), undefined, { signal: closing.signal }).catch(() => undefined)
      }
    }
  }
  const running = run()

  return {
    async [Symbol.asyncDispose]() {
      closing.abort()
      await running
      options.link.forget(part)
    },
  }
}

/** One consumer from start to end. Resolves after `closing`; rejects when the consumer has failed. */
async function session(options: SessionOptions, closing: AbortSignal, onJoined: () => void): Promise<void> {
  const { topicName, membership } = options
  const end = Promise.withResolvers<void>()
  end.promise.catch(() => undefined)
  closing.addEventListener('abort', () => end.resolve(), { once: true })
  await Promise.race([options.topics.ready(), end.promise])
  if (closing.aborted) return

  const line = options.openLine()
  const consumer = line.kafka.consumer({
    groupId: membership.group(),
    sessionTimeout: membership.sessionMs,
    heartbeatInterval: membership.heartbeatMs,
    rebalanceTimeout: REBALANCE_LIMIT_MS,
    maxWaitTimeInMs: membership.waitMs,
    maxBytesPerPartition: MAX_PARTITION_BYTES,
    allowAutoTopicCreation: false,
    retry: { initialRetryTime: 100, retries: 4, maxRetryTime: 1000, restartOnFailure: async () => false },
  })
  const reader = options.reader(consumer, end.reject)
  const silence = setTimeout(() => end.reject(new Error('kafkajs has stopped asking for records')), SILENCE_LIMIT_MS)
  consumer.on(consumer.events.FETCH_START, () => void silence.refresh())
  consumer.on(consumer.events.CRASH, ({ payload }) => end.reject(payload.error))
  consumer.on(consumer.events.GROUP_JOIN, () => {
    reader.assigned()
    onJoined()
  })

  let isLost = true
  try {
    const start = async () => {
      await consumer.connect()
      await consumer.subscribe({ topics: [topicName], fromBeginning: true })
      await consumer.run({
        autoCommit: false,
        partitionsConsumedConcurrently: CONCURRENT_PARTITIONS,
        eachBatch: ({ batch }) => reader.read(batch),
      })
    }
    start().catch(end.reject)
    await end.promise
    isLost = false
  } finally {
    clearTimeout(silence)
    await reader.ended(isLost)
    await line.hangUp(consumer, { gently: membership.leaves })
  }
}
