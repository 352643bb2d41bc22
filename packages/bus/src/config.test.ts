import { describe, expect, test } from '@jest/globals'
import { readConfig } from '@skipcast/runtime'
import { busEnv } from './config.ts'

const read = (variables: Record<string, string>) => readConfig({ bus: busEnv }, variables).bus

describe('busEnv', () => {
  test('has the documented topic names, and no broker, when nothing is given', () => {
    expect(read({})).toMatchObject({
      kind: 'kafka',
      brokers: [],
      consumerGroup: 'skipcast',
      topicNames: { streamCommands: 'skipcast-stream-commands', serverHeartbeats: 'skipcast-server-heartbeats' },
    })
  })

  test('takes several brokers', () => {
    expect(read({ KAFKA_BROKER: 'one:9092, two.example:9092,[::1]:9093' }).brokers).toEqual([
      'one:9092',
      'two.example:9092',
      '[::1]:9093',
    ])
  })

  test.each([
    ['KAFKA_BROKER', 'no-port'],
    ['KAFKA_BROKER', 'http://one:9092'],
    ['KAFKA_TOPIC_STREAM_EVENTS', 'white space'],
    ['EVENT_BUS', 'rabbit'],
    ['KAFKA_REPLICATION', '0'],
  ])('refuses %s=%s and names it', (name, value) => {
    expect(() => read({ [name]: value })).toThrow(name)
  })
})
