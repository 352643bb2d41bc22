import { healthBoard, silentLogger, waitFor } from '@skipcast/runtime'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Kafka, Partitioners, logLevel } from 'kafkajs'
import { kafkaBus, kafkaInspector, type Bus, type KafkaInspector } from '../src/index.ts'
import { channelStarted, configFor } from './samples.ts'
import { testBroker, type TestBroker } from './test-broker.ts'

let broker: TestBroker
let bus: Bus
let inspector: KafkaInspector
let config: ReturnType<typeof configFor>

beforeAll(async () => {
  broker = await testBroker()
  config = configFor(broker.address, 'inspected')
  bus = kafkaBus(config, { logger: silentLogger(), health: healthBoard(), retry: { attempts: 1, firstMs: 1, mostMs: 1 } })
  inspector = kafkaInspector(config, silentLogger())
}, 90_000)
afterAll(async () => {
  await inspector[Symbol.asyncDispose]()
  await bus[Symbol.asyncDispose]()
  await broker[Symbol.asyncDispose]()
}, 60_000)

const tell = (id: string) => bus.publish('streamEvents', [{ key: 'channel-1', value: channelStarted(id) }])

describe('reading', () => {
  test('gives what stands there and ends, or what comes and goes on until told to stop', async () => {
    await tell('1')
    const topicNames = [config.topicNames.streamEvents]
    const seen: string[] = []
    const onRecord = ({ message }: { message: { value: Buffer | null } }) =>
      void seen.push((JSON.parse(String(message.value)) as { id: string }).id)
    const stop = new AbortController()
    await inspector.read({ topicNames, what: 'everything', signal: stop.signal, onRecord })
    expect(seen).toEqual(['1'])

    const following = inspector.read({ topicNames, what: 'what comes', signal: stop.signal, onRecord })
    let count = 1
    await waitFor('a new record', () => tell(String(++count)).then(() => seen.length > 1), { timeoutMs: 20_000, everyMs: 200 })
    stop.abort()
    await following
    expect(seen.filter((id) => id === '1')).toHaveLength(1)
    expect(await inspector.topicNames()).toEqual(expect.arrayContaining(topicNames))
  }, 60_000)
})

describe('dead letters', () => {
  test('are listed with reason, source and time, and put back once: the same bytes, key and headers', async () => {
    const topicName = config.topicNames.userInteractions
    const client = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING })
    const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    const bytes = Buffer.from('{"half": "a r\u00e9cord\u0000 \ud83d\ude00')
    await producer.send({ topic: topicName, messages: [{ key: 'k', value: bytes, headers: { trace: 'abc' } }] })
    await producer.disconnect()
    const consumer = bus.consume({ topic: 'userInteractions', group: 'reader', handle: async () => undefined })
    const [letter] = await waitFor(
      'the letter',
      async () => {
        const letters = await inspector.deadLetters.list(topicName)
        return letters.length > 0 && letters
      },
      { timeoutMs: 30_000 },
    )
    expect(letter).toMatchObject({
      topicName,
      offset: '0',
      group: 'reader',
      reason: 'the value is not JSON',
      key: 'k',
      value: bytes.toString('utf8'),
      isReplayed: false,
    })
    expect(Date.parse(letter!.time)).toBeGreaterThan(0)
    await consumer[Symbol.asyncDispose]()

    expect(await inspector.deadLetters.replay(topicName)).toEqual({ replayed: 1, leftOut: 0 })
    expect(await inspector.deadLetters.replay(topicName)).toEqual({ replayed: 0, leftOut: 0 })
    expect(await inspector.deadLetters.list(topicName)).toMatchObject([{ isReplayed: true }])
    const standing: { key: string; value: Buffer | null; headers: unknown }[] = []
    await inspector.read({
      topicNames: [topicName],
      what: 'everything',
      signal: new AbortController().signal,
      onRecord: ({ message: { key, value, headers } }) => void standing.push({ key: String(key), value, headers }),
    })
    const original = { key: 'k', value: bytes, headers: { trace: Buffer.from('abc') } }
    expect(standing).toEqual([original, original])
  }, 90_000)
})
