import { deadLetterTopic } from '@skipcast/contracts'
import { healthBoard, silentLogger, waitFor } from '@skipcast/runtime'
import { Kafka, Partitioners, logLevel } from 'kafkajs'
import { randomUUID } from 'node:crypto'
import { kafkaBus } from '../src/index.ts'
import { busContract } from './bus-contract.ts'
import { configFor } from './samples.ts'
import { testBroker } from './test-broker.ts'

busContract('the bus on Kafka', async () => {
  const broker = await testBroker()
  const client = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING })
  let opened = 0

  return {
    async open(retry) {
      const config = configFor(broker.address, `test-${++opened}`)
      const bus = kafkaBus(config, { logger: silentLogger(), health: healthBoard(), retry })
      return {
        bus,
        async append(topic, key, value) {
          const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner })
          await producer.connect()
          await producer.send({ topic: config.topicNames[topic], messages: [{ key, value }] })
          await producer.disconnect()
        },
        deadLetters: (topic) => readAll(client, deadLetterTopic(config.topicNames[topic])),
      }
    },
    takeDown: () => broker.kill(),
    bringBack: () => broker.start(),
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  }
})

interface FoundLetter {
  readonly key: string
  readonly value: string | null
  readonly reason: string
}

/** Everything that stands on a dead-letter topic now. */
async function readAll(client: Kafka, topic: string): Promise<FoundLetter[]> {
  const admin = client.admin()
  await admin.connect()
  const [end] = await admin.fetchTopicOffsets(topic).finally(() => admin.disconnect())
  const found: FoundLetter[] = []
  if (Number(end!.high) === 0) return found
  const consumer = client.consumer({ groupId: `read-${randomUUID()}`, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ message: { key, value, headers } }) =>
      void found.push({
        key: String(key),
        value: value?.toString() ?? null,
        reason: String(headers?.['dead-letter-reason']),
      }),
  })
  await waitFor('the dead letters', () => found.length >= Number(end!.high), { timeoutMs: 20_000 })
  await consumer.disconnect()
  return found
}
