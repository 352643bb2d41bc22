import { describe, expect, test } from '@jest/globals'
import { AppError } from '@skipcast/runtime'
import type { Admin, KafkaMessage } from 'kafkajs'
import { deadLetterDesk } from './dead-letter-desk.ts'
import type { StandingRecord } from './read-records.ts'

/** A dead-letter topic of one partition, in memory. */
function fixture() {
  const topic: KafkaMessage[] = []
  const published: string[] = []
  const world = { topic, published, markedBefore: 0, refuse: (_value: string): AppError | null => null }
  const kafka = {
    fetchOffsets: async () => [{ topic: 't.dlq', partitions: [{ partition: 0, offset: String(world.markedBefore || -1) }] }],
    fetchTopicOffsets: async () => [{ partition: 0, low: '0', high: String(topic.length), offset: '0' }],
  }
  const desk = deadLetterDesk({
    admin: {
      ask: (_what, _limit, question) => question(kafka as unknown as Admin),
      [Symbol.asyncDispose]: async () => {},
    },
    publisher: {
      async publish(_topicName, [message]) {
        const value = String(message!.value)
        const refusal = world.refuse(value)
        if (refusal) throw refusal
        published.push(value.slice(0, 20))
        bury(`${value} again`) // whatever is put back fails anew
      },
    },
    group: 'g',
    openMarker: async () => ({
      mark: async (_partition, offset) => void (world.markedBefore = Number(offset)),
      [Symbol.asyncDispose]: async () => {},
    }),
    async read({ signal, onRecord }) {
      for (const message of topic) {
        if (signal.aborted) return
        onRecord({ topicName: 't.dlq', partition: 0, message } satisfies StandingRecord)
      }
    },
  })
  const bury = (value: string | null) =>
    void topic.push({
      key: null,
      value: value === null ? null : Buffer.from(value),
      offset: String(topic.length),
      timestamp: '0',
      attributes: 0,
      headers: {},
    })
  return { world, desk, bury }
}

describe('listing dead letters', () => {
  test('shows the newest thousand, and tells how many are older', async () => {
    const { desk, bury } = fixture()
    for (let index = 0; index < 1003; index++) bury(String(index))
    const { letters, olderCount } = await desk.list('t')
    expect([letters.length, letters[0]!.value, olderCount]).toEqual([1000, '3', 3])
  })

  test('holds no more of them than fit into 64 MiB', async () => {
    const { desk, bury } = fixture()
    const huge = 'x'.repeat(8 * 1024 * 1024)
    for (let index = 0; index < 12; index++) bury(huge)
    const { letters, olderCount } = await desk.list('t')
    expect([letters.length, olderCount]).toEqual([7, 5])
  })
})

describe('replaying dead letters', () => {
  test('puts back what was there at its beginning; what fails again waits for the next time', async () => {
    const { desk, world, bury } = fixture()
    bury('a')
    bury(null)
    bury('b')
    expect(await desk.replay('t')).toEqual({ replayed: 2, leftOut: 1 })
    expect(world.published).toEqual(['a', 'b'])
    expect((await desk.list('t')).letters.map(({ isReplayed }) => isReplayed)).toEqual([true, true, true, false, false])
    expect(await desk.replay('t')).toEqual({ replayed: 2, leftOut: 0 })
  })

  test('brings back all, however much it is, in the order of dying', async () => {
    const { desk, world, bury } = fixture()
    for (let index = 10; index < 30; index++) bury(`${index}${'x'.repeat(8 * 1024 * 1024)}`)
    expect(await desk.replay('t')).toEqual({ replayed: 20, leftOut: 0 })
    expect(world.published.map((value) => Number(value.slice(0, 2)))).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 10),
    )
  })

  test('leaves out what Kafka refuses, and goes on behind it', async () => {
    const { desk, world, bury } = fixture()
    for (const value of ['a', 'b', 'c']) bury(value)
    world.refuse = (value) => (value === 'b' ? new AppError('MESSAGE_INVALID', 'too large') : null)
    expect(await desk.replay('t')).toEqual({ replayed: 2, leftOut: 1 })
    expect(world.published).toEqual(['a', 'c'])
  })

  test('a bus that goes away ends it; the next replay goes on where it was', async () => {
    const { desk, world, bury } = fixture()
    for (const value of ['a', 'b', 'c']) bury(value)
    world.refuse = (value) => (value === 'b' ? new AppError('BUS_UNAVAILABLE', 'away') : null)
    await expect(desk.replay('t')).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
    expect(world.markedBefore).toBe(1)
    world.refuse = () => null
    await desk.replay('t')
    expect(world.published.slice(0, 3)).toEqual(['a', 'b', 'c'])
  })
})
