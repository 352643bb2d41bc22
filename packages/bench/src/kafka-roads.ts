import { busEnv, kafkaBus } from '@skipcast/bus'
import { stamp, topics, type UserInteraction } from '@skipcast/contracts'
import { healthBoard, silentLogger, waitFor } from '@skipcast/runtime'
import { Kafka, logLevel, Partitioners } from 'kafkajs'

const JOIN_TIMEOUT_MS = 60_000
const origin = { application: 'skipcast', environment: 'bench' }

/** A message's way through Kafka and back, in this process. */
export interface Road extends AsyncDisposable {
  /** Resolves with the ms from sending the message to its consumer having it. */
  send(): Promise<number>
}

interface Ends {
  readonly publish: (id: string) => Promise<void>
  readonly close: () => Promise<void>
}

/** packages/bus, as services use it. */
export function busRoad(broker: string): Promise<Road> {
  return road('bus', async (arrived) => {
    const config = busEnv.parse({ KAFKA_BROKER: broker })
    const bus = kafkaBus(config, { logger: silentLogger(), health: healthBoard() })
    bus.consume({ topic: 'userInteractions', group: 'bench-bus', handle: async ({ id }) => arrived(id) })
    return {
      publish: (id) => bus.publish('userInteractions', [{ key: id, value: message(id) }]),
      close: async () => bus[Symbol.asyncDispose](),
    }
  })
}

/** kafkajs as its manual begins: one `send` for each message, `eachMessage`. As safe as ours: all replicas acknowledge. */
export function bareRoad(broker: string): Promise<Road> {
  return road('bare', async (arrived) => {
    const topic = topics.userInteractions.defaultName
    const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING })
    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    const consumer = kafka.consumer({ groupId: 'bench-bare' })
    await Promise.all([producer.connect(), consumer.connect()])
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message: { value } }) => arrived((JSON.parse(String(value)) as UserInteraction).id),
    })
    return {
      async publish(id) {
        await producer.send({ topic, acks: -1, messages: [{ key: id, value: JSON.stringify(message(id)) }] })
      },
      close: async () => void (await Promise.all([producer.disconnect(), consumer.disconnect()])),
    }
  })
}

async function road(name: string, open: (arrived: (id: string) => void) => Promise<Ends>): Promise<Road> {
  const waiting = new Map<string, () => void>()
  let sent = 0
  const ends = await open((id) => waiting.get(id)?.())
  const send = async () => {
    const id = `${name}-${process.pid}-${(sent += 1)}`
    const arrived = new Promise<void>((done) => waiting.set(id, done))
    const sentAt = performance.now()
    const arrivedAt = arrived.then(() => performance.now())
    await ends.publish(id)
    const took = (await arrivedAt) - sentAt
    waiting.delete(id)
    return took
  }
  // What is sent before the consumer has joined comes late: nobody measures that.
  let isOpen = false
  void send().then(() => (isOpen = true))
  await waitFor(`the consumer of ${name}`, () => isOpen, { timeoutMs: JOIN_TIMEOUT_MS })
  return { send, [Symbol.asyncDispose]: ends.close }
}

function message(id: string): UserInteraction {
  const common = { channel_id: 'bench', channel_slug: 'bench', event: 'listener_session', duration_s: 60 } as const
  return { ...stamp(origin, Date.now(), id), ...common, session_id: id }
}
