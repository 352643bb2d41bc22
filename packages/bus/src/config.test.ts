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

  test('has neither TLS nor a login when nothing is given', () => {
    expect(read({}).security).toEqual({ tls: null, login: null })
  })

  test('takes TLS with a client certificate, and a login', () => {
    const files = { KAFKA_SSL_CA: '/ca.pem', KAFKA_SSL_CERT: '/cert.pem', KAFKA_SSL_KEY: '/key.pem' }
    expect(read({ KAFKA_BROKER: 'one:9092', KAFKA_SSL: 'true', ...files, ...login('scram-sha-512') }).security).toEqual({
      tls: { caFile: '/ca.pem', client: { certFile: '/cert.pem', keyFile: '/key.pem' } },
      login: { mechanism: 'scram-sha-512', username: 'radio', password: 'secret' },
    })
  })

  test.each(['localhost:9092', '127.0.0.1:9092', '[::1]:9092'])('takes a visible password for %s', (broker) => {
    expect(read({ KAFKA_BROKER: broker, ...login('plain') }).security.login).toMatchObject({ mechanism: 'plain' })
  })

  test.each(['one:9092', 'localhost:9092,one:9092', '127.0.0.1.example:9092'])('refuses a visible password for %s', (broker) => {
    expect(() => read({ KAFKA_BROKER: broker, ...login('plain') })).toThrow(/KAFKA_SASL_MECHANISM: plain would/)
    expect(read({ KAFKA_BROKER: broker, KAFKA_SSL: 'true', ...login('plain') }).security.login).not.toBeNull()
  })

  test.each([
    [{ KAFKA_SSL_CA: '/ca.pem', KAFKA_SSL_CERT: '/c.pem' }, ['KAFKA_SSL_CA', 'KAFKA_SSL_CERT', 'KAFKA_SSL_KEY']],
    [{ KAFKA_SSL: 'true', KAFKA_SSL_KEY: '/k.pem' }, ['KAFKA_SSL_CERT']],
    [{ KAFKA_SASL_MECHANISM: 'scram-sha-256' }, ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD']],
    [{ KAFKA_SASL_PASSWORD: 'secret', KAFKA_SSL_CA: '/ca.pem' }, ['KAFKA_SASL_PASSWORD', 'KAFKA_SSL_CA']],
    [{ KAFKA_SASL_MECHANISM: 'secret' }, ['KAFKA_SASL_MECHANISM']],
    [{ KAFKA_BROKER: '', KAFKA_SSL: 'true', ...login('plain') }, ['KAFKA_SSL', 'KAFKA_SASL_MECHANISM']],
  ])('names all that is wrong with %j, without values', (variables, names) => {
    const failure = thrownBy(() => read({ KAFKA_BROKER: 'one:9092', ...variables }))
    const problems = (failure as { details: string[] }).details
    expect(new Set(problems.map((problem) => problem.split(':')[0]))).toEqual(new Set(names))
    expect(String(failure)).not.toMatch(/secret|pem/)
  })
})

function login(mechanism: string) {
  return { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: 'radio', KAFKA_SASL_PASSWORD: 'secret' }
}

function thrownBy(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
