import { readConfig } from '@skipcast/runtime'
import { describe, expect, test } from '@jest/globals'
import { kafkaEnv } from './config.ts'

const read = (variables: Record<string, string>) => readConfig({ kafka: kafkaEnv }, variables).kafka

describe('kafkaEnv', () => {
  test('listens on loopback unless told otherwise', () => {
    expect(read({})).toMatchObject({ listenHost: '127.0.0.1', advertisedHost: '127.0.0.1' })
  })

  test('a broker that listens everywhere must know its name', () => {
    expect(() => read({ KAFKA_LISTEN_HOST: '0.0.0.0' })).toThrow('KAFKA_ADVERTISED_HOST')
    expect(read({ KAFKA_LISTEN_HOST: '0.0.0.0', KAFKA_ADVERTISED_HOST: 'kafka.example' })).toMatchObject({
      advertisedHost: 'kafka.example',
    })
  })

  test('refuses a heap that Kafka can not live in', () => {
    expect(() => read({ KAFKA_HEAP_MB: '10' })).toThrow('KAFKA_HEAP_MB')
  })
})
