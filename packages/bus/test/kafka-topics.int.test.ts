import { topics } from '@skipcast/contracts'
import { createLogger, healthBoard, waitFor } from '@skipcast/runtime'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import kafkajs, { Kafka, Partitioners, logLevel, type Admin } from 'kafkajs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { kafkaBus } from '../src/index.ts'
import { channelStarted, configFor } from './samples.ts'
import { testBroker, type TestBroker } from './test-broker.ts'

const LIMIT = { timeoutMs: 30_000 }
/** Where the producer's id stands in a record batch of Kafka's format 2. */
const PRODUCER_ID_AT = 43

describe('the topics on Kafka', () => {
  jest.setTimeout(60_000)
  let broker: TestBroker
  let client: Kafka
  let admin: Admin

  beforeAll(async () => {
    broker = await testBroker()
    client = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING })
    admin = client.admin()
    await admin.connect()
  })
  afterAll(async () => {
    await admin.disconnect()
    await broker[Symbol.asyncDispose]()
  })

  /** Publishes one event on a bus with topics of this prefix, and returns what the bus logged. */
  const useBus = async (prefix: string): Promise<string> => {
    let log = ''
    const destination = new Writable({ write: (chunk, _encoding, done) => ((log += chunk), done()) })
    const logger = createLogger({ level: 'info', destination })
    await using bus = kafkaBus(configFor(broker.address, prefix), { logger, health: healthBoard() })
    await bus.publish('streamEvents', [{ key: 'channel-1', value: channelStarted('1') }])
    return log
  }
  const settingsOf = async (topic: string): Promise<Record<string, string>> => {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
    })
    return Object.fromEntries(resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue]))
  }

  test('all are made at the first use, each with its dead letters', async () => {
    await useBus('made')
    const names = Object.values(topics).map(({ defaultName }) => `made-${defaultName}`)
    expect(await admin.listTopics()).toEqual(expect.arrayContaining(names.flatMap((name) => [name, `${name}.dlq`])))
    const { topics: made } = await admin.fetchTopicMetadata({ topics: names })
    expect(Object.fromEntries(made.map(({ name, partitions }) => [name, partitions.length]))).toEqual(
      Object.fromEntries(Object.values(topics).map(({ defaultName, partitions }) => [`made-${defaultName}`, partitions])),
    )
  })

  test('state is compacted, events are kept for their time, and a large record fits', async () => {
    await useBus('kept')
    expect(await settingsOf('kept-skipcast-stream-commands')).toMatchObject({ 'cleanup.policy': 'compact' })
    expect(await settingsOf('kept-skipcast-listener-metrics')).toMatchObject({
      'cleanup.policy': 'delete',
      'retention.ms': String(topics.listenerMetrics.retentionMs),
    })
    const { 'max.message.bytes': largest } = await settingsOf('kept-skipcast-stream-commands')
    expect(Number(largest)).toBeGreaterThan(8_000_000)
  })

  test('a topic that is there already stays as it is, and what differs is told', async () => {
    await admin.createTopics({ topics: [{ topic: 'old-skipcast-stream-status', numPartitions: 2 }], waitForLeaders: false })
    await waitFor('the old topic', async () => (await admin.listTopics()).includes('old-skipcast-stream-status'), LIMIT)
    const log = await useBus('old')
    const warnings = log.split('\n').filter((line) => line.includes('not set up as we would'))
    expect(warnings.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ topic: 'old-skipcast-stream-status', setting: 'partitions', is: 2, wanted: 12 }),
      expect.objectContaining({ setting: 'cleanup.policy', is: 'delete', wanted: 'compact' }),
      expect.objectContaining({ setting: 'max.message.bytes' }),
    ])
    expect(await settingsOf('old-skipcast-stream-status')).toMatchObject({ 'cleanup.policy': 'delete' })
  })

  test('no record bears a producer id, whose last batch compaction would keep, empty, and kafkajs never get past', async () => {
    await useBus('plain')
    const partitions = await readdir(broker.dataDirectory)
    const logs = await Promise.all(
      partitions
        .filter((name) => /^plain-skipcast-stream-events-\d+$/.test(name))
        .map((name) => readFile(join(broker.dataDirectory, name, '00000000000000000000.log'))),
    )
    const [batch] = logs.filter(({ length }) => length > 0)
    expect(batch!.readBigInt64BE(PRODUCER_ID_AT)).toBe(-1n)
  })

  test('a dead letter keeps the bytes and headers of its record, and says where it came from', async () => {
    const config = configFor(broker.address, 'letter')
    await using bus = kafkaBus(config, { logger: createLogger({ level: 'silent' }), health: healthBoard() })
    await bus.publish('streamEvents', [{ key: 'channel-1', value: channelStarted('1') }])
    const broken = Buffer.from([0xff, 0x00, 0xfe])
    const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    const topic = config.topicNames.streamEvents
    await producer.send({ topic, messages: [{ key: 'channel-1', value: broken, headers: { trace: 'abc' } }] })
    await producer.disconnect()

    bus.consume({ topic: 'streamEvents', group: 'letters', handle: async () => undefined })
    const consumer = client.consumer({ groupId: 'reader-of-letters', maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topics: [`${topic}.dlq`], fromBeginning: true })
    const { promise: letter, resolve } = Promise.withResolvers<kafkajs.KafkaMessage>()
    await consumer.run({ eachMessage: async ({ message }) => resolve(message) })
    const { key, value, headers } = await letter
    await consumer.disconnect()

    expect([String(key), value]).toEqual(['channel-1', broken])
    const said = Object.fromEntries(Object.entries(headers!).map(([name, header]) => [name, String(header)]))
    expect(said).toEqual({
      trace: 'abc',
      'dead-letter-reason': 'the value is not JSON',
      'dead-letter-topic': topic,
      'dead-letter-partition': expect.stringMatching(/^\d+$/),
      'dead-letter-offset': '1',
      'dead-letter-group': 'letters',
      'dead-letter-time': expect.stringMatching(/^\d{4}-/),
    })
  })
})
