import { AppError } from '@skipcast/runtime'
import { Partitioners, type Message, type Producer } from 'kafkajs'
import { within, type OpenLine } from './client.ts'
import { unavailable } from './failure.ts'
import type { Link } from './link.ts'
import type { TopicSetup } from './topic-setup.ts'

const MIB = 1024 * 1024
/** Most that waits here while Kafka is slow or away; what comes on top is refused. */
const MAX_WAITING_BYTES = 64 * MIB
const MAX_WAITING_CALLS = 20_000
/** Most that goes into one request, unless a single call holds more. */
const MAX_REQUEST_BYTES = MIB
const ATTEMPT_LIMIT_MS = 5000
/** Kafka may need this long to have a record on all replicas. */
const ACKNOWLEDGE_LIMIT_MS = 4000
/** What a record costs beside its key and value, about. */
const RECORD_OVERHEAD_BYTES = 80
/** Kafka's answers to a record that it will never take. */
const REFUSALS = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'CORRUPT_MESSAGE'])

export interface Publisher extends AsyncDisposable {
  /**
   * Appends the messages to one topic, in order. Resolves once all in-sync replicas have them. Rejects with BUS_UNAVAILABLE after
   * 10 seconds at the latest, or with MESSAGE_INVALID when Kafka refuses the record itself.
   */
  publish(topicName: string, messages: readonly Message[]): Promise<void>
}

interface Connection {
  readonly ready: Promise<Producer>
  close(how: { readonly gently: boolean }): Promise<void>
}

interface Call {
  readonly topicName: string
  readonly messages: readonly Message[]
  readonly sizeBytes: number
  readonly done: () => void
  readonly failed: (error: AppError) => void
}

/**
 * Sends what waits in one request at a time: calls that come meanwhile go together in the next, so many callers cost few
 * requests and nobody waits for a timer. One in flight is also what keeps the order. `part` is its name on the link.
 */
export function publisher(openLine: OpenLine, topics: TopicSetup, link: Link, part: string): Publisher {
  const waiting: Call[] = []
  let waitingBytes = 0
  let connection: Connection | undefined
  let pumping = Promise.resolve()
  let isPumping = false
  let closed = false

  const open = (): Connection => {
    const line = openLine()
    const producer = line.kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 10 }, // about as long as an attempt may last
      idempotent: false, // an idempotent producer stops kafkajs's readers of compacted topics: see README, decisions
    })
    const connect = async () => {
      await topics.ready()
      await producer.connect()
      return producer
    }
    return { ready: connect(), close: (how) => line.hangUp(producer, how) }
  }

  /** After any failure the next request comes from a new producer: kafkajs may try the old request for a while yet, and so may the kernel. */
  const drop = async (how: { readonly gently: boolean }) => {
    const old = connection
    connection = undefined
    await old?.close(how)
  }

  const send = async (calls: readonly Call[], signal: AbortSignal): Promise<void> => {
    connection ??= open()
    const producer = await connection.ready
    signal.throwIfAborted()
    const byTopic = Map.groupBy(calls, ({ topicName }) => topicName)
    await producer.sendBatch({
      acks: -1,
      timeout: ACKNOWLEDGE_LIMIT_MS,
      topicMessages: [...byTopic].map(([topic, of]) => ({ topic, messages: of.flatMap(({ messages }) => messages) })),
    })
  }

  const attempt = async (calls: readonly Call[]): Promise<void> => {
    const givingUp = new AbortController()
    try {
      await within(ATTEMPT_LIMIT_MS, 'to take a record', send(calls, givingUp.signal))
      link.up(part)
      for (const call of calls) call.done()
    } catch (error) {
      givingUp.abort()
      void drop({ gently: false })
      if (isRefusal(error)) {
        if (calls.length === 1) return calls[0]!.failed(refused(error))
        for (const call of calls) await attempt([call]) // one of them is guilty: the others shall not pay for it
        return
      }
      topics.doubt()
      link.down(part, error)
      // Who waits would fare no better, and is told now rather than one limit later.
      for (const call of [...calls, ...waiting.splice(0)]) call.failed(unavailable(error))
      waitingBytes = 0
    }
  }

  const pump = async (): Promise<void> => {
    while (waiting.length > 0) {
      const calls = nextRequest(waiting)
      waitingBytes -= sizeOf(calls)
      await attempt(calls)
    }
    isPumping = false
  }

  return {
    publish(topicName, messages) {
      if (messages.length === 0) return Promise.resolve()
      return new Promise<void>((done, failed) => {
        const sizeBytes = messages.reduce((sum, message) => sum + sizeOfMessage(message), 0)
        if (closed) return failed(new AppError('BUS_UNAVAILABLE', 'The bus is closed'))
        if (waiting.length >= MAX_WAITING_CALLS || waitingBytes + sizeBytes > MAX_WAITING_BYTES)
          return failed(new AppError('BUS_UNAVAILABLE', 'Too much waits for Kafka already'))
        waiting.push({ topicName, messages, sizeBytes, done, failed })
        waitingBytes += sizeBytes
        if (isPumping) return
        isPumping = true
        pumping = Promise.resolve().then(pump) // a turn later, so that calls of this turn go together
      })
    },
    async [Symbol.asyncDispose]() {
      closed = true
      await pumping
      await drop({ gently: true })
    },
  }
}

/** Takes the calls of the next request off the queue: at least one, and as many more as fit. */
function nextRequest(waiting: Call[]): Call[] {
  let sizeBytes = 0
  let count = 0
  for (const call of waiting) {
    sizeBytes += call.sizeBytes
    if (count > 0 && sizeBytes > MAX_REQUEST_BYTES) break
    count += 1
  }
  return waiting.splice(0, count)
}

function sizeOf(calls: readonly Call[]): number {
  return calls.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

function sizeOfMessage({ key, value }: Message): number {
  return Buffer.byteLength(key ?? '') + Buffer.byteLength(value ?? '') + RECORD_OVERHEAD_BYTES
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && (REFUSALS.has((error as { type?: string }).type ?? '') || isRefusal(error.cause))
}

function refused(cause: unknown): AppError {
  return new AppError('MESSAGE_INVALID', 'Kafka refuses this record', { cause })
}
