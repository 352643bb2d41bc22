import type { StateTopic } from '@skipcast/contracts'
import { messageOf, type Logger } from '@skipcast/runtime'
import type { Batch, KafkaMessage } from 'kafkajs'
import { randomUUID } from 'node:crypto'
import type { StateView } from '../ports.ts'
import { stateFeed } from '../state-view.ts'
import type { KafkaAdmin } from './admin.ts'
import type { OpenLine } from './client.ts'
import type { BuryLetter } from './dead-letters.ts'
import type { Link } from './link.ts'
import { keepReading, type Reader } from './session.ts'
import type { TopicSetup } from './topic-setup.ts'

const OFFSETS_LIMIT_MS = 10_000
/** Of a group that nobody else will ever join: it need not be missed soon. */
const ALONE = { sessionMs: 30_000, heartbeatMs: 5000, waitMs: 5000, leaves: false }

export interface WatchOptions<T extends StateTopic> {
  readonly openLine: OpenLine
  readonly admin: KafkaAdmin
  readonly topics: TopicSetup
  readonly link: Link
  readonly logger: Logger
  readonly bury: BuryLetter
  readonly topic: T
  readonly topicName: string
  /** The watcher's own groups begin with this. */
  readonly group: string
}

/**
 * Follows a state topic. Each session reads the topic from its beginning, in a group that is thrown away with it: there is nothing to
 * commit, and no dead member of an earlier session to wait for. The view changes when the session has read all that stood there
 * when it began, so an outage shows as a view that stands still, never as one that goes back.
 */
export function watchState<T extends StateTopic>(options: WatchOptions<T>): StateView<T> {
  const { topic, topicName, logger } = options
  const reading = keepReading({
    ...options,
    part: `watch ${topicName}`,
    membership: { ...ALONE, group: () => `${options.group}-watch-${randomUUID()}` },
    reader: (_consumer, fail) => reader(fail),
  })
  const feed = stateFeed(topic, logger, () => reading[Symbol.asyncDispose]())

  const reader = (fail: (error: unknown) => void): Reader => {
    /** Where each partition ended when the reading began; null while that is not known. */
    let ends: Map<number, bigint> | null = null
    let positions = new Map<number, bigint>()
    let readings = 0

    const lookWhetherCaughtUp = () => {
      if (ends && [...ends].every(([partition, end]) => (positions.get(partition) ?? 0n) >= end)) feed.caughtUp()
    }
    const learnEnds = async (current: number) => {
      const offsets = await options.admin.ask('where a topic ends', OFFSETS_LIMIT_MS, (admin) =>
        admin.fetchTopicOffsets(topicName),
      )
      if (current !== readings) return
      ends = new Map(offsets.filter(({ low, high }) => low !== high).map(({ partition, high }) => [partition, BigInt(high)]))
      lookWhetherCaughtUp()
    }
    const take = (batch: Batch, message: KafkaMessage) => {
      const key = message.key?.toString('utf8') ?? ''
      const unreadable = feed.apply(key, message.value?.toString('utf8') ?? null)
      if (unreadable === null) return
      const letter = { topicName, partition: batch.partition, group: options.group, message, reason: unreadable }
      options.bury(letter).catch((error: unknown) => {
        logger.error({ topic, key, problem: messageOf(error) }, 'a record that can not be read could not be kept')
      })
    }

    return {
      assigned() {
        feed.startOver()
        ends = null
        positions = new Map()
        readings += 1
        learnEnds(readings).catch(fail)
      },
      async read(batch) {
        for (const message of batch.messages) take(batch, message)
        positions.set(batch.partition, BigInt(batch.lastOffset()) + 1n)
        lookWhetherCaughtUp()
      },
      ended: async () => undefined,
    }
  }
  return feed.view
}
