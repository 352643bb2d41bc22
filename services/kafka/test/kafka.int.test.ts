import {
  childUser,
  findDaemon,
  freePort,
  healthBoard,
  isAlive,
  readConfig,
  signalProcess,
  silentLogger,
  waitFor,
  type Daemon,
  type Home,
} from '@skipcast/runtime'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { fetchKafka, kafkaAvailability, kafkaEnv, startKafka, type KafkaContext } from '../src/kafka.ts'
import { brokerAnswers } from '../src/probe.ts'
import { testHome } from './test-home.ts'

const LIMIT = { timeoutMs: 60_000 }

describe('fetching Kafka', () => {
  jest.setTimeout(300_000)

  test('brings the jars into a bare home as a whole, clears what a killed fetch left, and does nothing the second time', async () => {
    await using home = await testHome({ isBare: true })
    expect(await kafkaAvailability(home)).toEqual({ kind: 'fetchable' })
    const leftover = join(home.path, 'programs', 'kafka-4.0.0.999999999.tmp')
    await mkdir(leftover, { recursive: true })
    const directory = await fetchKafka(home, silentLogger())
    expect(await readdir(join(home.path, 'programs'))).toEqual([expect.stringMatching(/^kafka-4\.\d+\.\d+$/)])
    expect(await readdir(directory)).toEqual(expect.arrayContaining([expect.stringMatching(/^kafka_2\.13-4/)]))
    expect(await kafkaAvailability(home)).toEqual({ kind: 'ready' })
    const before = await stat(directory)
    expect(await fetchKafka(home, silentLogger())).toBe(directory)
    expect((await stat(directory)).ctimeMs).toBe(before.ctimeMs)
  })
})

describe('the role kafka', () => {
  jest.setTimeout(120_000)
  let home: Awaited<ReturnType<typeof testHome>>
  let roles: AsyncDisposableStack

  beforeEach(async () => {
    home = await testHome()
    roles = new AsyncDisposableStack()
  })
  afterEach(async () => {
    await roles.disposeAsync()
    const broker = await brokerOf(home)
    if (broker) {
      signalProcess(broker, 'SIGKILL')
      await waitFor('the broker to be gone', () => !isAlive(broker), LIMIT)
    }
    await home[Symbol.asyncDispose]()
  })

  const run = async (onStop: KafkaContext['onStop'], variables: Record<string, string> = {}) => {
    const health = healthBoard()
    const { kafka: config } = readConfig({ kafka: kafkaEnv }, variables)
    const role = roles.use(await startKafka(config, { home, health, logger: silentLogger(), onStop }))
    return {
      address: role.broker,
      health,
      isStarting: () => role.isStarting,
      answers: () => waitFor('the broker to answer', () => health.read()['kafka']?.ok, LIMIT),
      close: () => role[Symbol.asyncDispose](),
    }
  }

  test('runs a broker on loopback only, as the unprivileged user, starts it again when it was killed, and stops it', async () => {
    const role = await run('stop')
    expect(role.health.read()['kafka']).toMatchObject({ ok: false })
    expect(role.isStarting()).toBe(true)
    await role.answers()
    await waitFor('the start to be over', () => !role.isStarting(), LIMIT)
    const first = await brokerOf(home)
    const [host, port] = role.address.split(':')
    expect(host).toBe('127.0.0.1')
    for (const address of otherAddresses()) expect(await brokerAnswers(address, Number(port), 1000)).toBe(false)
    const uid = /^Uid:\s+(\d+)/m.exec(await readFile(`/proc/${first!.pid}/status`, 'utf8'))![1]
    expect(Number(uid)).toBe(childUser()?.uid ?? process.getuid!())

    signalProcess(first!, 'SIGKILL')
    await waitFor('another broker', async () => ![undefined, first!.pid].includes((await brokerOf(home))?.pid), LIMIT)
    await role.answers()
    const second = await brokerOf(home)
    await role.close()
    expect(isAlive(second!)).toBe(false)
    expect(await brokerAnswers('127.0.0.1', Number(port), 1000)).toBe(false)
  })

  test('hands a running broker over to the next process, which adopts it, unless its settings are no longer the wanted ones', async () => {
    const first = await run('hand-over')
    await first.answers()
    await first.close()
    const broker = await brokerOf(home)
    const second = await run('hand-over')
    await second.answers()
    expect(await brokerOf(home)).toEqual(broker)
    await second.close()
    expect(isAlive(broker!)).toBe(true)
    const third = await run('stop', { KAFKA_HEAP_MB: '300' })
    expect(isAlive(broker!)).toBe(false)
    await third.answers()
    await third.close()
  })

  test('starts after everything was killed, also when the broker could not be written down', async () => {
    const first = await run('hand-over')
    await first.answers()
    await first.close()
    const orphan = await brokerOf(home)
    await rm(join(home.path, 'kafka', 'broker.json'))
    const second = await run('hand-over')
    expect(isAlive(orphan!)).toBe(false)
    await second.answers()
    await second.close()
    signalProcess((await brokerOf(home))!, 'SIGKILL')
    const third = await run('stop')
    await third.answers()
    await third.close()
  })

  test('says which port is taken, and which variable changes it', async () => {
    const port = await freePort()
    const squatter = createServer().listen(port, '127.0.0.1')
    await waitFor('the squatter', () => squatter.listening, LIMIT)
    await expect(run('stop', { KAFKA_PORT: String(port) })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringMatching(new RegExp(`${port}.*KAFKA_PORT`)),
    })
    await new Promise((done) => squatter.close(done))
    const role = await run('stop', { KAFKA_PORT: String(port) })
    expect(role.address).toBe(`127.0.0.1:${port}`)
    await role.answers()
    await role.close()
  })
})

function brokerOf(home: Home): Promise<Daemon | null> {
  return findDaemon(join(home.path, 'kafka', 'broker.json'))
}

/** The addresses of this machine by which others reach it. */
function otherAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address)
}
