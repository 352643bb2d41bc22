import { deadLetterTopic } from '@skipcast/contracts'
import type { IHeaders, KafkaMessage } from 'kafkajs'
import type { KafkaAdmin } from './admin.ts'
import type { Publisher } from './publisher.ts'
import type { ReadOptions, StandingRecord } from './read-records.ts'

const MARK_LIMIT_MS = 10_000
const HEADER = 'dead-letter-'

/** A record that nobody could handle, as it lies on the dead-letter topic of its topic. */
export interface DeadLetter {
  /** Where it came from. */
  readonly topicName: string
  readonly partition: number
  readonly offset: string
  /** The consumer group that gave it up. */
  readonly group: string
  readonly reason: string
  /** ISO 8601: when it was given up. */
  readonly time: string
  readonly key: string | null
  /** Null where it was too large to be kept: it then is on its own topic only. */
  readonly value: string | null
  /** True once it was put back. */
  readonly isReplayed: boolean
}

interface Replayed {
  readonly replayed: number
  /** Without a value, so there is nothing to put back. */
  readonly leftOut: number
}

export interface DeadLetterDesk {
  /** The letters of one topic, oldest first. Rejects with BUS_UNAVAILABLE. */
  list(topicName: string): Promise<DeadLetter[]>
  /**
   * Puts what was not put back yet on its own topic again: the very bytes, key and headers. Each is marked right after, so a crash between
   * both puts one of them back twice, which handlers take as once. Rejects with BUS_UNAVAILABLE; what was put back till then is marked.
   */
  replay(topicName: string): Promise<Replayed>
}

/** The mark is the offset of a consumer group that nobody joins: it outlives everything that Kafka outlives. */
export function deadLetterDesk(options: {
  readonly admin: KafkaAdmin
  readonly publisher: Pick<Publisher, 'publish'>
  readonly group: string
  readonly read: (options: Pick<ReadOptions, 'topicNames' | 'what' | 'onRecord'>) => Promise<void>
}): DeadLetterDesk {
  const groupId = `${options.group}-dead-letters-replayed`

  const marks = async (topic: string): Promise<ReadonlyMap<number, bigint>> => {
    const found = await options.admin.ask('what was replayed', MARK_LIMIT_MS, (asked) =>
      asked.fetchOffsets({ groupId, topics: [topic] }),
    )
    return new Map(found.flatMap(({ partitions }) => partitions.map(({ partition, offset }) => [partition, BigInt(offset)])))
  }
  const mark = ({ topicName: topic, partition, message }: StandingRecord) =>
    options.admin.ask('to mark a dead letter', MARK_LIMIT_MS, (asked) =>
      asked.setOffsets({ groupId, topic, partitions: [{ partition, offset: String(BigInt(message.offset) + 1n) }] }),
    )
  const letters = async (topicName: string) => {
    const topic = deadLetterTopic(topicName)
    const standing: StandingRecord[] = []
    await options.read({ topicNames: [topic], what: 'everything', onRecord: (record) => void standing.push(record) })
    const replayed = await marks(topic)
    return standing.map((record) => ({
      record,
      isReplayed: BigInt(record.message.offset) < (replayed.get(record.partition) ?? 0n),
    }))
  }

  return {
    async list(topicName) {
      return (await letters(topicName)).map(({ record, isReplayed }) => ({ ...describe(record.message, topicName), isReplayed }))
    },
    async replay(topicName) {
      let replayed = 0
      let leftOut = 0
      for (const { record, isReplayed } of await letters(topicName)) {
        if (isReplayed) continue
        const { key, value, headers } = record.message
        if (value === null) leftOut += 1
        else {
          await options.publisher.publish(topicName, [{ key, value, headers: originalHeaders(headers) }])
          replayed += 1
        }
        await mark(record)
      }
      return { replayed, leftOut }
    },
  }
}

function describe({ key, value, headers }: KafkaMessage, topicName: string): Omit<DeadLetter, 'isReplayed'> {
  const of = (name: string) => String(headers?.[`${HEADER}${name}`] ?? '')
  return {
    topicName,
    partition: Number(of('partition')),
    offset: of('offset'),
    group: of('group'),
    reason: of('reason'),
    time: of('time'),
    key: key?.toString('utf8') ?? null,
    value: value?.toString('utf8') ?? null,
  }
}

function originalHeaders(headers: IHeaders | undefined): IHeaders {
  return Object.fromEntries(Object.entries(headers ?? {}).filter(([name]) => !name.startsWith(HEADER)))
}
