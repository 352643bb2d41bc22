import { createLogger, healthBoard, waitFor } from '@skipcast/runtime'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { Writable } from 'node:stream'
import { kafkaBus, type Bus } from '../src/index.ts'
import { channelStarted, configFor, heartbeat } from './samples.ts'
import { PASSWORD, secureBroker, USERNAME, type SecureBroker } from './secure-broker.ts'

const LIMIT = { timeoutMs: 30_000 }

describe('Kafka that demands TLS and a login', () => {
  jest.setTimeout(90_000)
  let broker: SecureBroker
  /** What all buses of these tests logged, at the most talkative level. */
  let log = ''

  beforeAll(async () => {
    broker = await secureBroker()
    await using bus = open('ready', right())
    await waitFor('the broker', () => bus.ping().then(() => true, never), { timeoutMs: 60_000 })
  })
  afterAll(async () => broker[Symbol.asyncDispose]())

  const tls = () => ({ KAFKA_SSL: 'true', KAFKA_SSL_CA: broker.ca.certFile })
  const login = (mechanism: string, password = PASSWORD) => ({
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: USERNAME,
    KAFKA_SASL_PASSWORD: password,
  })
  const right = () => ({ ...tls(), ...login('scram-sha-512') })
  const mutual = (as: 'client' | 'stranger') => ({
    ...tls(),
    KAFKA_SSL_CERT: broker[as].certFile,
    KAFKA_SSL_KEY: broker[as].keyFile,
  })
  const at = (port: number, host = '127.0.0.1') => `${host}:${port}`
  const health = healthBoard()
  const open = (prefix: string, security: Record<string, string>, address = at(broker.saslPort)): Bus => {
    const destination = new Writable({ write: (chunk, _encoding, done) => ((log += chunk), done()) })
    return kafkaBus(configFor(address, prefix, security), { logger: createLogger({ level: 'trace', destination }), health })
  }
  /** Publishes, consumes and watches. */
  const use = async (bus: Bus): Promise<void> => {
    const ids: string[] = []
    bus.consume({ topic: 'streamEvents', group: 'secure', handle: async ({ id }) => void ids.push(id) })
    const view = bus.watch('serverHeartbeats')
    await bus.publish('streamEvents', [{ key: 'channel-1', value: channelStarted('1') }])
    await bus.publish('serverHeartbeats', [{ key: 'server-1', value: heartbeat('server-1', 7) }])
    await waitFor('the event', () => ids.includes('1'), LIMIT)
    await waitFor('the view', () => view.values.get('server-1')?.load === 7, LIMIT)
  }
  /** What a publisher, an asker and `health` are told. */
  const refusal = async (security: Record<string, string>, address?: string): Promise<string> => {
    await using bus = open('refused', security, address)
    const told = await bus.publish('streamEvents', [{ key: 'a', value: channelStarted('1') }]).catch((error: unknown) => error)
    expect(told).toMatchObject({ code: 'BUS_UNAVAILABLE' })
    const { message } = told as Error
    expect(health.read()['bus']).toEqual({ ok: false, problem: `publish: ${message}` })
    await expect(bus.ping()).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE', message })
    return message
  }

  test('publishes, consumes and watches with the right authority and login', async () => {
    await using bus = open('scram', right())
    await use(bus)
  })

  test('does so with the mechanism plain within TLS', async () => {
    await using bus = open('plain', { ...tls(), ...login('plain') })
    await use(bus)
  })

  test('does so with a certificate of its own instead of a login', async () => {
    await using bus = open('mutual', mutual('client'), at(broker.mutualPort))
    await use(bus)
  })

  test.each(['scram-sha-512', 'plain'])('a wrong password (%s) is told as such', async (mechanism) => {
    expect(await refusal({ ...tls(), ...login(mechanism, 'wrong-secret') })).toMatch(
      /refuses the login: check KAFKA_SASL_USERNAME/,
    )
  })

  test('a mechanism that the broker has not is told as such', async () => {
    expect(await refusal({ ...tls(), ...login('scram-sha-256') })).toMatch(/choose another KAFKA_SASL_MECHANISM/)
  })

  test('a broker whose authority is not ours is not believed', async () => {
    const strange = { ...right(), KAFKA_SSL_CA: broker.otherCa.certFile }
    expect(await refusal(strange)).toMatch(/certificate that is not trusted .*: check KAFKA_SSL_CA/)
  })

  test('the public authorities do not vouch for it either', async () => {
    const { KAFKA_SSL_CA: _, ...publicly } = right()
    expect(await refusal(publicly)).toMatch(/check KAFKA_SSL_CA/)
  })

  test('a broker whose certificate is for another host is not believed', async () => {
    expect(await refusal(right(), at(broker.saslPort, 'localhost'))).toMatch(/certificate of another host/)
  })

  test('without TLS it is told to try that', async () => {
    expect(await refusal(login('scram-sha-512'))).toMatch(/may demand TLS \(KAFKA_SSL\)/)
  })

  test('without a login it is told to try that', async () => {
    expect(await refusal(tls())).toMatch(/or a login \(KAFKA_SASL_MECHANISM\)/)
  })

  test.each(['none', 'stranger'] as const)('a broker that asks for a certificate refuses %s', async (as) => {
    const security = as === 'none' ? tls() : mutual(as)
    expect(await refusal(security, at(broker.mutualPort))).toMatch(/KAFKA_SSL_CERT/)
  })

  test('no password was ever logged', () => {
    expect(log).not.toBe('')
    expect(log).not.toMatch(/wrong-secret/)
    expect(log).not.toContain(PASSWORD)
  })
})

function never(): false {
  return false
}
