import { AppError } from '@skipcast/runtime'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Consumer, KafkaMessage } from 'kafkajs'
import type { KafkaAdmin } from './admin.ts'
import type { OpenLine } from './client.ts'
import { unavailable } from './failure.ts'

const OFFSETS_LIMIT_MS = 10_000
const WAIT_MS = 200
const COORDINATOR_LOADS_MS = 20_000
const ASK_AGAIN_MS = 200

/** A record where it stands. */
export interface StandingRecord {
  readonly topicName: string
  readonly partition: number
  readonly message: KafkaMessage
}

export interface ReadOptions {
  readonly openLine: OpenLine
  readonly admin: KafkaAdmin
  readonly topicNames: readonly string[]
  /** `everything`: what stands there now, and then it ends. The others go on until `signal`. */
  readonly what: 'everything' | 'everything and what comes' | 'what comes'
  readonly signal: AbortSignal
  /** The group that is joined for the time of reading begins with this. Nothing is committed. */
  readonly group: string
  readonly onRecord: (record: StandingRecord) => void
}

/**
 * Reads topics without leaving a trace in any group of others. What "now" is was asked before the group is joined, so
 * nothing that comes meanwhile is missed. Rejects with BUS_UNAVAILABLE as soon as the connection fails.
 */
export async function readRecords(options: ReadOptions): Promise<void> {
  const deadline = performance.now() + COORDINATOR_LOADS_MS
  for (;;) {
    try {
      return await readOnce(options)
    } catch (error) {
      if (!isCoordinatorLoading(error) || performance.now() > deadline) throw error
      await sleep(ASK_AGAIN_MS)
    }
  }
}

/** A broker that has just started says so while it reads its groups; kafkajs does not ask again by itself. No record was read yet. */
function isCoordinatorLoading(error: unknown): boolean {
  return error instanceof AppError && (error.cause as { type?: unknown } | undefined)?.type === 'GROUP_LOAD_IN_PROGRESS'
}

async function readOnce(options: ReadOptions): Promise<void> {
  const { admin, topicNames, what, signal } = options
  const ends = await admin.ask('where topics end', OFFSETS_LIMIT_MS, async (asked) => {
    const found = new Map<string, { low: bigint; high: bigint }>()
    for (const topicName of topicNames)
      for (const { partition, low, high } of await asked.fetchTopicOffsets(topicName))
        found.set(`${topicName}/${partition}`, { low: BigInt(low), high: BigInt(high) })
    return found
  })
  const unread = new Set([...ends].filter(([, { low, high }]) => low < high).map(([place]) => place))
  if (what === 'everything' && unread.size === 0) return

  const end = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => end.resolve(), { once: true })
  if (signal.aborted) return
  const line = options.openLine()
  const groupId = `${options.group}-${randomUUID()}`
  const consumer = line.kafka.consumer({
    groupId,
    maxWaitTimeInMs: WAIT_MS,
    allowAutoTopicCreation: false,
    retry: { initialRetryTime: 100, retries: 4, maxRetryTime: 1000, restartOnFailure: async () => false },
  })
  consumer.on(consumer.events.CRASH, ({ payload }) => end.reject(payload.error))
  const begin = async () => {
    await consumer.connect()
    await consumer.subscribe({ topics: [...topicNames], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: true,
      async eachBatch({ batch }) {
        const place = `${batch.topic}/${batch.partition}`
        for (const message of batch.messages) options.onRecord({ topicName: batch.topic, partition: batch.partition, message })
        if (what !== 'everything') return
        if (BigInt(batch.lastOffset()) + 1n >= (ends.get(place)?.high ?? 0n)) unread.delete(place)
        if (unread.size === 0) end.resolve()
      },
    })
    if (what === 'what comes') seekTo(consumer, ends)
  }
  try {
    await Promise.race([begin().then(() => end.promise), end.promise])
  } catch (error) {
    throw unavailable(error)
  } finally {
    await line.hangUp(consumer)
    await admin.ask('to forget a group', OFFSETS_LIMIT_MS, (asked) => asked.deleteGroups([groupId])).catch(() => undefined)
  }
}

function seekTo(consumer: Consumer, ends: ReadonlyMap<string, { high: bigint }>): void {
  for (const [place, { high }] of ends) {
    const slash = place.lastIndexOf('/')
    consumer.seek({ topic: place.slice(0, slash), partition: Number(place.slice(slash + 1)), offset: String(high) })
  }
}
