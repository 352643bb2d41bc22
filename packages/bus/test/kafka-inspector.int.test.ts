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
        const { letters } = await inspector.deadLetters.list(topicName)
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
    expect((await inspector.deadLetters.list(topicName)).letters).toMatchObject([{ isReplayed: true }])
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

  test('are put back within moments, however many there are', async () => {
    const topicName = config.topicNames.listenerMetrics
    const client = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING })
    const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    const messages = Array.from({ length: 40 }, (_, index) => ({ key: `k${index}`, value: String(index) }))
    await producer.send({ topic: `${topicName}.dlq`, messages })
    await producer.disconnect()
    expect(await inspector.deadLetters.replay(topicName)).toEqual({ replayed: 40, leftOut: 0 })
    expect(await inspector.deadLetters.replay(topicName)).toEqual({ replayed: 0, leftOut: 0 })
  })

  test('hostile and huge ones are listed and put back as they are; who handles them sees each id once', async () => {
    const topicName = config.topicNames.streamEvents
    const letter = (value: Buffer | null, headers: Record<string, string> = {}) => ({ key: 'channel-1', value, headers })
    const reason = {
      'dead-letter-reason': '\u001b[2J\u202e\n'.repeat(500),
      'dead-letter-partition': 'NaN',
      'dead-letter-offset': '#{x}',
    }
    const good = (id: string) => Buffer.from(JSON.stringify(channelStarted(id)))
    const huge = Buffer.alloc(8 * 1024 * 1024 - 1000, 0xff)
    const client = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING })
    const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    const put = (...messages: ReturnType<typeof letter>[]) => producer.send({ topic: `${topicName}.dlq`, messages })
    await put(letter(good('again-1'), reason), letter(null), { ...letter(good('again-2')), key: null as never })
    await put(letter(huge))
    await put(letter(good('again-3'), { 'x-own': 'kept' }))
    await producer.disconnect()

    const { letters, olderCount } = await inspector.deadLetters.list(topicName)
    expect(olderCount).toBe(0)
    expect(letters.map(({ isReplayed }) => isReplayed)).toEqual(Array.from({ length: 5 }, () => false))
    expect(letters[0]).toMatchObject({ topicName, offset: '#{x}', reason: reason['dead-letter-reason'] })

    const handled: string[] = []
    await using _consumer = bus.consume({
      topic: 'streamEvents',
      group: 'replays',
      handle: async ({ id }) => void handled.push(id),
    })
    expect(await inspector.deadLetters.replay(topicName)).toEqual({ replayed: 4, leftOut: 1 })
    await waitFor('the last', () => handled.includes('again-3'), { timeoutMs: 60_000 })
    expect(handled.filter((id) => id.startsWith('again')).toSorted()).toEqual(['again-1', 'again-2', 'again-3'])
    // The huge one is no message: it became a dead letter anew, once, and waits for the next time.
    const after = await waitFor(
      'the new dead letter',
      async () => {
        const found = await inspector.deadLetters.list(topicName)
        return found.letters.length === 6 && found.letters
      },
      { timeoutMs: 60_000, everyMs: 500 },
    )
    expect(after.map(({ isReplayed }) => isReplayed)).toEqual([true, true, true, true, true, false])
    expect(after.at(-1)!.reason).toBe('the value is not JSON')
  }, 180_000)
})
