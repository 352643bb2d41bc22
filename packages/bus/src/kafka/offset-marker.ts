import { within, type OpenLine } from './client.ts'
import { unavailable } from './failure.ts'

const JOIN_LIMIT_MS = 30_000
const MARK_LIMIT_MS = 10_000
const WAIT_MS = 200

/** Writes down in a consumer group how far somebody came. Disposing leaves the group; what was marked stays. */
export interface OffsetMarker extends AsyncDisposable {
  /** The first offset of the partition that is not done. Rejects with BUS_UNAVAILABLE, also when somebody else marks in this group. */
  mark(partition: number, offset: bigint): Promise<void>
}

/**
 * Joins the group for as long as there is something to mark; of the records it wants nothing. (kafkajs's own `setOffsets` joins anew for
 * each mark, and then sleeps for five seconds.) Rejects with BUS_UNAVAILABLE.
 */
export async function offsetMarker(openLine: OpenLine, groupId: string, topic: string): Promise<OffsetMarker> {
  const line = openLine()
  const consumer = line.kafka.consumer({
    groupId,
    maxWaitTimeInMs: WAIT_MS,
    allowAutoTopicCreation: false,
    retry: { initialRetryTime: 100, retries: 4, maxRetryTime: 1000, restartOnFailure: async () => false },
  })
  const asked = async (what: string, limitMs: number, promise: Promise<void>) => {
    await within(limitMs, what, promise).catch((error: unknown) => {
      throw unavailable(error)
    })
  }
  const join = async () => {
    await consumer.connect()
    await consumer.subscribe({ topics: [topic] })
    await consumer.run({ autoCommit: false, eachBatch: async () => {} })
    consumer.pause([{ topic }])
  }
  const leave = () => line.hangUp(consumer)
  try {
    await asked('to join a group', JOIN_LIMIT_MS, join())
  } catch (error) {
    await leave()
    throw error
  }
  return {
    mark: (partition, offset) =>
      asked('to mark a dead letter', MARK_LIMIT_MS, consumer.commitOffsets([{ topic, partition, offset: String(offset) }])),
    [Symbol.asyncDispose]: leave,
  }
}
