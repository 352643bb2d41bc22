import { topics, type EventTopic, type Topic } from '@skipcast/contracts'
import type { Logger } from '@skipcast/runtime'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { Bus } from './ports.ts'
import type { RetryPolicy } from './retry.ts'
import { settle, type Delivery } from './settle.ts'
import type { WireRecord } from './wire.ts'

/** Records of one partition that are kept for groups yet to come, though all present groups have had them. */
const KEPT_RECORDS = 1000
/** Most records of one partition; older ones are gone, as after Kafka's retention time. */
const MAX_RECORDS = 20_000
const MAX_DEAD_LETTERS = 1000
/** After so many the event loop has its turn. */
const RECORDS_PER_TURN = 200
/** How long closing a consumer waits for the handler that runs. */
const CLOSE_GRACE_MS = 5000

export interface DeadLetter extends WireRecord {
  readonly reason: string
}

interface Partition {
  /** Offset of `records[0]`. */
  first: number
  readonly records: WireRecord[]
}

interface Member {
  /** Resolves with true once the record needs no further attempt, false when the member was closed before. */
  settle(record: WireRecord): Promise<boolean>
}

/** Consumers of one name: each partition belongs to one of them, and the offsets outlive them. */
interface Group {
  readonly topic: EventTopic
  readonly offsets: number[]
  readonly busy: Set<number>
  members: Member[]
}

export interface MemoryEvents extends Pick<Bus, 'consume'>, AsyncDisposable {
  append(topic: EventTopic, record: WireRecord): void
  bury(topic: Topic, record: WireRecord, reason: string): void
  deadLetters(topic: Topic): readonly DeadLetter[]
  /** Goes on after `isDown` turned false. */
  wake(): void
}

/** The events half of the in-memory bus: bounded logs in partitions, consumer groups, retries, dead letters. */
export function memoryEvents(options: { logger: Logger; retry: RetryPolicy; isDown: () => boolean }): MemoryEvents {
  const logs = new Map<EventTopic, Partition[]>()
  const groups = new Map<string, Group>()
  const dead = new Map<Topic, DeadLetter[]>()
  const consumers = new Set<AsyncDisposable>()

  const logOf = (topic: EventTopic) => {
    const log = logs.get(topic) ?? Array.from({ length: topics[topic].partitions }, () => ({ first: 0, records: [] }))
    logs.set(topic, log)
    return log
  }

  const bury = (topic: Topic, record: WireRecord, reason: string) => {
    const letters = dead.get(topic) ?? []
    dead.set(topic, letters)
    letters.push({ ...record, reason })
    if (letters.length > MAX_DEAD_LETTERS) letters.shift()
  }

  /** Hands out what waits on one partition, one record at a time, until nothing waits or nobody is there. */
  const drain = async (group: Group, index: number) => {
    if (group.busy.has(index)) return
    group.busy.add(index)
    const partition = logOf(group.topic)[index]!
    for (let count = 0; ; count++) {
      if (count % RECORDS_PER_TURN === 0) await nextTurn()
      const offset = Math.max(group.offsets[index]!, partition.first)
      const record = partition.records[offset - partition.first]
      const member = group.members[index % group.members.length]
      if (!record || !member || options.isDown()) break
      if (await member.settle(record)) group.offsets[index] = offset + 1
    }
    group.busy.delete(index)
  }

  const drainAll = (group: Group) => {
    for (const index of group.offsets.keys()) void drain(group, index)
  }

  return {
    append(topic, record) {
      const log = logOf(topic)
      const index = partitionOf(record.key, log.length)
      const partition = log[index]!
      const readers = [...groups.values()].filter((group) => group.topic === topic)
      partition.records.push(record)
      const lost = trim(partition, Math.min(...readers.map(({ offsets }) => offsets[index]!)))
      if (lost > 0) options.logger.error({ topic, records: lost }, 'a consumer is too far behind: records were dropped')
      for (const group of readers) void drain(group, index)
    },

    consume({ topic, group: name, handle }) {
      const id = `${topic}/${name}`
      const group = groups.get(id) ?? { topic, offsets: logOf(topic).map(() => 0), busy: new Set(), members: [] }
      groups.set(id, group)
      const closing = new AbortController()
      const running = new Set<Promise<unknown>>()

      const delivery: Delivery<typeof topic, WireRecord> = {
        topic,
        handle,
        bury: async (record, reason) => bury(topic, record, reason),
        retry: options.retry,
        logger: options.logger.child({ topic, group: name }),
      }
      const member: Member = {
        settle(record) {
          const settled = settle(delivery, record, closing.signal).finally(() => running.delete(settled))
          running.add(settled)
          return settled
        },
      }
      group.members.push(member)
      drainAll(group)

      const consumer: AsyncDisposable = {
        async [Symbol.asyncDispose]() {
          consumers.delete(consumer)
          group.members = group.members.filter((other) => other !== member)
          closing.abort()
          await Promise.race([Promise.all(running), sleep(CLOSE_GRACE_MS, undefined, { ref: false })])
          drainAll(group)
        },
      }
      consumers.add(consumer)
      return consumer
    },

    bury,
    deadLetters: (topic) => dead.get(topic) ?? [],
    wake() {
      for (const group of groups.values()) drainAll(group)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...consumers].map((consumer) => consumer[Symbol.asyncDispose]()))
    },
  }
}

/** Drops the oldest records, in large steps: those that nobody waits for, and those beyond the limit. Returns how many were waited for. */
function trim(partition: Partition, readUpTo: number): number {
  const { length } = partition.records
  if (length <= 2 * KEPT_RECORDS) return 0
  const read = Math.min(readUpTo - partition.first, length - KEPT_RECORDS)
  const count = length > MAX_RECORDS ? Math.max(read, KEPT_RECORDS) : read
  if (count < KEPT_RECORDS) return 0
  partition.records.splice(0, count)
  partition.first += count
  return Math.max(0, partition.first - readUpTo)
}

function partitionOf(key: string, count: number): number {
  let hash = 0
  for (let index = 0; index < key.length; index++) hash = (hash * 31 + key.charCodeAt(index)) >>> 0
  return hash % count
}
