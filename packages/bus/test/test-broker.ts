import { findDaemon, healthBoard, isAlive, readConfig, signalProcess, silentLogger, waitFor } from '@skipcast/runtime'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { kafkaEnv, startKafka, type KafkaRole } from '../../../services/kafka/src/kafka.ts'
import { testHome } from '../../../services/kafka/test/test-home.ts'

/** A real broker with a home of its own. */
export interface TestBroker extends AsyncDisposable {
  readonly address: string
  /** Where its topics lie, one directory for each partition. */
  readonly dataDirectory: string
  /** kill -9, and nobody starts it again until `start`. */
  kill(): Promise<void>
  /** Resolves once it answers. */
  start(): Promise<void>
  /** Empties the disk of a killed broker. */
  wipe(): Promise<void>
}

export async function testBroker(): Promise<TestBroker> {
  const home = await testHome()
  const health = healthBoard()
  const { kafka: config } = readConfig({ kafka: kafkaEnv }, {})
  let role: KafkaRole | undefined

  const start = async () => {
    role = await startKafka(config, { home, health, logger: silentLogger(), onStop: 'hand-over' })
    await waitFor('the broker', () => health.read()['kafka']?.ok, { timeoutMs: 60_000 })
  }
  const kill = async () => {
    await role?.[Symbol.asyncDispose]()
    const daemon = await findDaemon(join(home.path, 'kafka', 'broker.json'))
    if (!daemon) return
    signalProcess(daemon, 'SIGKILL')
    await waitFor('the broker to be gone', () => !isAlive(daemon), { timeoutMs: 10_000 })
  }
  await start()

  const dataDirectory = join(home.path, 'kafka', 'data')
  return {
    dataDirectory,
    address: `127.0.0.1:${await home.port('kafka')}`,
    start,
    kill,
    wipe: () => rm(dataDirectory, { recursive: true }),
    async [Symbol.asyncDispose]() {
      await kill()
      await home[Symbol.asyncDispose]()
    },
  }
}
