import { backoff } from '@skipcast/runtime'
import type { Batch, Consumer } from 'kafkajs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OpenLine } from './client.ts'
import type { Link } from './link.ts'
import type { TopicSetup } from './topic-setup.ts'

/** A member that says nothing for so long is taken for dead, and its partitions go to others. Kafka's least, unless told otherwise. */
const SESSION_MS = 6000
const HEARTBEAT_MS = 2000
/** How long Kafka holds a question for new records; also how long closing takes at most. */
const WAIT_MS = 500
/** kafkajs asks for new records at least each WAIT_MS; when it has not for so long, it is stuck, or never came to start. */
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
  /** The group to join, asked for at the start of each session. */
  readonly group: () => string
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
  const { topicName } = options
  const end = Promise.withResolvers<void>()
  end.promise.catch(() => undefined)
  closing.addEventListener('abort', () => end.resolve(), { once: true })
  await Promise.race([options.topics.ready(), end.promise])
  if (closing.aborted) return

  const line = options.openLine()
  const consumer = line.kafka.consumer({
    groupId: options.group(),
    sessionTimeout: SESSION_MS,
    heartbeatInterval: HEARTBEAT_MS,
    rebalanceTimeout: REBALANCE_LIMIT_MS,
    maxWaitTimeInMs: WAIT_MS,
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
    await line.hangUp(consumer)
  }
}
