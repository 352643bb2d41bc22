import { deadLetterTopic } from '@skipcast/contracts'
import { isAppError } from '@skipcast/runtime'
import type { IHeaders, KafkaMessage } from 'kafkajs'
import type { KafkaAdmin } from './admin.ts'
import type { OffsetMarker } from './offset-marker.ts'
import type { Publisher } from './publisher.ts'
import type { ReadOptions, StandingRecord } from './read-records.ts'

const ASK_LIMIT_MS = 10_000
const MOST_LISTED = 1000
/** Most that is held of letters at a time. */
const MAX_HELD_BYTES = 64 * 1024 * 1024
/** What a letter takes beside its key and value: the reason, and where it came from. */
const RECORD_OVERHEAD_BYTES = 4096
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

interface DeadLetters {
  /** Oldest first. */
  readonly letters: readonly DeadLetter[]
  /** How many older ones there are, which did not fit. */
  readonly olderCount: number
}

interface Replayed {
  readonly replayed: number
  /** Without a value, so there is nothing to put back, or refused by Kafka, as it would be again. */
  readonly leftOut: number
}

export interface DeadLetterDesk {
  /** The newest letters of one topic: 1000, and no more than 64 MiB of them. Rejects with BUS_UNAVAILABLE. */
  list(topicName: string): Promise<DeadLetters>
  /**
   * Puts what was not put back yet on its own topic again: the very bytes, key and headers. Letters that come meanwhile wait for the next
   * time, so what fails again does not go round in circles. Each is marked right after, so a crash between both puts one of them back
   * twice, as two who replay at once do with all: handlers take that as once. Rejects with BUS_UNAVAILABLE; what was put back till then is
   * marked.
   */
  replay(topicName: string): Promise<Replayed>
}

/** The mark is the offset of a consumer group that only who replays joins: it outlives everything that Kafka outlives. */
export function deadLetterDesk(options: {
  readonly admin: KafkaAdmin
  readonly publisher: Pick<Publisher, 'publish'>
  readonly group: string
  readonly openMarker: (groupId: string, topic: string) => Promise<OffsetMarker>
  readonly read: (options: Pick<ReadOptions, 'topicNames' | 'what' | 'signal' | 'onRecord'>) => Promise<void>
}): DeadLetterDesk {
  const groupId = `${options.group}-dead-letters-replayed`

  const marks = async (topic: string): Promise<Offsets> => {
    const found = await options.admin.ask('what was replayed', ASK_LIMIT_MS, (asked) =>
      asked.fetchOffsets({ groupId, topics: [topic] }),
    )
    return new Map(found.flatMap(({ partitions }) => partitions.map(({ partition, offset }) => [partition, BigInt(offset)])))
  }
  const ends = async (topic: string): Promise<Offsets> => {
    const found = await options.admin.ask('where dead letters end', ASK_LIMIT_MS, (asked) => asked.fetchTopicOffsets(topic))
    return new Map(found.map(({ partition, high }) => [partition, BigInt(high)]))
  }
  const read = (topic: string, signal: AbortSignal, onRecord: (record: StandingRecord) => void) =>
    options.read({ topicNames: [topic], what: 'everything', signal, onRecord })

  /** The oldest that wait, as many as fit into memory. */
  const waiting = async (topic: string, end: Offsets): Promise<StandingRecord[]> => {
    const replayed = await marks(topic)
    const found: StandingRecord[] = []
    const isFull = new AbortController()
    let sizeBytes = 0
    await read(topic, isFull.signal, (record) => {
      if (isFull.signal.aborted || !isBefore(record, end) || isBefore(record, replayed)) return
      found.push(record)
      sizeBytes += sizeOf(record)
      if (sizeBytes > MAX_HELD_BYTES) isFull.abort()
    })
    return found
  }
  const putBack = async (topicName: string, { message: { key, value, headers } }: StandingRecord): Promise<boolean> => {
    if (value === null) return false
    try {
      await options.publisher.publish(topicName, [{ key, value, headers: originalHeaders(headers) }])
      return true
    } catch (error) {
      if (!isAppError(error, 'MESSAGE_INVALID')) throw error
      return false
    }
  }

  return {
    async list(topicName) {
      const topic = deadLetterTopic(topicName)
      const replayed = await marks(topic)
      const held: StandingRecord[] = []
      let sizeBytes = 0
      let olderCount = 0
      await read(topic, new AbortController().signal, (record) => {
        held.push(record)
        sizeBytes += sizeOf(record)
        while (held.length > MOST_LISTED || (sizeBytes > MAX_HELD_BYTES && held.length > 1)) {
          sizeBytes -= sizeOf(held.shift()!)
          olderCount += 1
        }
      })
      const letters = held.map((record) => ({
        ...describe(record.message, topicName),
        isReplayed: isBefore(record, replayed),
      }))
      return { letters, olderCount }
    },
    async replay(topicName) {
      const topic = deadLetterTopic(topicName)
      const end = await ends(topic)
      let replayed = 0
      let leftOut = 0
      let records = await waiting(topic, end)
      if (records.length === 0) return { replayed, leftOut }
      await using marker = await options.openMarker(groupId, topic)
      for (; records.length > 0; records = await waiting(topic, end)) {
        for (const record of records) {
          if (await putBack(topicName, record)) replayed += 1
          else leftOut += 1
          await marker.mark(record.partition, BigInt(record.message.offset) + 1n)
        }
      }
      return { replayed, leftOut }
    },
  }
}

type Offsets = ReadonlyMap<number, bigint>

function isBefore({ partition, message }: StandingRecord, offsets: Offsets): boolean {
  return BigInt(message.offset) < (offsets.get(partition) ?? 0n)
}

function sizeOf({ message: { key, value } }: StandingRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + RECORD_OVERHEAD_BYTES
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
