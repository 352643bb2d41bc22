import {
  AppError,
  childUser,
  findDaemon,
  identify,
  makeDirectory,
  portIsFree,
  runCommand,
  startDaemon,
  stopDaemon,
  waitFor,
  writeFileAtomic,
  type Daemon,
  type Home,
  type ProcessIdentity,
} from '@skipcast/runtime'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { javaFlags, log4jProperties, serverProperties } from './broker-files.ts'
import type { KafkaConfig } from './config.ts'
import { brokerAnswers } from './probe.ts'

const FORMAT_LIMIT_MS = 60_000
const STOP_GRACE_MS = 20_000
const PROBE_LIMIT_MS = 1000
const PORT_LIMIT_MS = 2000

/** The broker of this home: one process, wherever it was started from. */
export interface LocalBroker {
  readonly host: string
  readonly port: number
  isRunning(): Promise<boolean>
  /** True when it serves its clients. */
  answers(): Promise<boolean>
  /**
   * Starts it unless it runs with these very settings; one that runs with others is stopped first. Resolves once the process
   * exists. Rejects with PORT_TAKEN, PROGRAM_MISSING or COMMAND_FAILED.
   */
  ensureRunning(): Promise<'adopted' | 'started'>
  stop(): Promise<void>
}

/** Lays out `$SKIPCAST_HOME/kafka` for a broker whose jars are in `jarDirectory`. */
export async function localBroker(config: KafkaConfig, home: Home, jarDirectory: string): Promise<LocalBroker> {
  const user = childUser()
  const directory = await home.directory('kafka', { mode: 0o711 })
  const dataDirectory = await makeDirectory(join(directory, 'data'), { owner: user })
  const logDirectory = await makeDirectory(join(directory, 'logs'), { owner: user })
  const identityFile = join(directory, 'broker.json')
  const settingsFile = join(directory, 'server.properties')
  const log4jFile = join(directory, 'log4j2.properties')

  const port = config.port ?? (await home.port('kafka'))
  const controllerPort = config.controllerPort ?? (await home.port('kafka-controller'))
  const settings = serverProperties({ ...config, port, controllerPort, dataDirectory })
  const log4j = log4jProperties(logDirectory)
  const java = [...javaFlags(config.heapMb), `-Dlog4j2.configurationFile=${log4jFile}`, '-cp', join(jarDirectory, '*')]
  const tag = createHash('sha256')
    .update(JSON.stringify([java, settings, log4j]))
    .digest('hex')
    .slice(0, 16)
  const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[config.listenHost] ?? config.listenHost

  const find = async () => {
    const daemon = await findDaemon(identityFile)
    return daemon?.tag === tag ? daemon : null
  }
  const end = (process: ProcessIdentity) => stopDaemon(process, { identityFile, graceMs: STOP_GRACE_MS })

  const requireFree = async (number: number, address: string, variable: string) => {
    // A killed broker is gone as a process a moment before its last thread has let go of the port.
    const isFree = waitFor('the port', () => portIsFree(number, address), { timeoutMs: PORT_LIMIT_MS }).catch(() => false)
    if (await isFree) return
    throw new AppError('PORT_TAKEN', `Port ${number} of ${address} is taken, and Kafka needs it: set ${variable} to a free one`)
  }

  const format = async () => {
    if (existsSync(join(dataDirectory, 'meta.properties'))) return // the last thing that formatting writes
    const args = [...java, 'kafka.tools.StorageTool', 'format', '--ignore-formatted', '-t', clusterId(), '-c', settingsFile]
    await runCommand('java', args, { timeoutMs: FORMAT_LIMIT_MS, user, cwd: directory })
  }

  const start = (): Promise<Daemon> =>
    startDaemon({
      program: 'java',
      args: [...java, 'kafka.Kafka', settingsFile],
      cwd: directory,
      logFile: join(directory, 'broker.out'),
      identityFile,
      tag,
      user,
    })

  return {
    host,
    port,
    isRunning: async () => (await find()) !== null,
    answers: () => brokerAnswers(host, port, PROBE_LIMIT_MS),
    async ensureRunning() {
      if (await find()) return 'adopted'
      for (const other of await brokersOf(settingsFile)) await end(other)
      await requireFree(port, config.listenHost, 'KAFKA_PORT')
      await requireFree(controllerPort, '127.0.0.1', 'KAFKA_CONTROLLER_PORT')
      await writeFileAtomic(settingsFile, settings, { mode: 0o644 })
      await writeFileAtomic(log4jFile, log4j, { mode: 0o644 })
      await format()
      await start()
      return 'started'
    },
    async stop() {
      for (const broker of await brokersOf(settingsFile)) await end(broker)
    },
  }
}

/**
 * The broker processes of this home, read from the machine: also one whose starter was killed before it could write down
 * the identity, and one of older settings.
 */
async function brokersOf(settingsFile: string): Promise<ProcessIdentity[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const commands = await Promise.all(
    pids.map(async (pid) => ({ pid, args: (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0') })),
  )
  return commands
    .filter(({ args }) => args.includes('kafka.Kafka') && args.includes(settingsFile))
    .flatMap(({ pid }) => identify(pid) ?? [])
}

/** Kafka's ids are 16 bytes, base64url; one that begins with a dash would be read as an option. */
function clusterId(): string {
  for (;;) {
    const id = randomBytes(16).toString('base64url')
    if (!id.startsWith('-')) return id
  }
}
