import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { childUser, makeDirectory, runCommand, silentLogger, type Home } from '@skipcast/runtime'
import { z } from 'zod'
import { javaFlags, log4jProperties, serverProperties } from '../../../../services/kafka/src/broker-files.ts'
import { fetchKafka } from '../../../../services/kafka/src/programs.ts'
import { shareProgramsWith } from '../shared-programs.ts'
import type { LanHost } from './lan.ts'
import { runOn } from './run-on.ts'

/** Three machines with a broker and a controller each, which hold every topic together. */
export interface Brokers {
  /** `host:port,…` */
  readonly addresses: string
  start(host: LanHost): void
  /** The machine that leads most partitions of the topic of commands. Rejects with PROGRAM_MISSING without kcat. */
  leader(): Promise<LanHost>
}

const PORT = 9092
const CONTROLLER_PORT = 9093
const HEAP_MB = 256
const FORMAT_TIMEOUT_MS = 60_000
const KCAT_TIMEOUT_MS = 20_000
const COMMANDS = 'skipcast-stream-commands'

const metadata = z.object({ topics: z.array(z.object({ partitions: z.array(z.object({ leader: z.number() })) })).length(1) })

/** Lays out and starts a broker on each of these machines, in a directory of its own below the root. */
export async function startBrokers(hosts: readonly LanHost[], root: Home): Promise<Brokers> {
  const user = childUser()
  await shareProgramsWith(root.path)
  const jars = await fetchKafka(root, silentLogger())
  const clusterId = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url').replace(/^-/, 'A')
  const commands = new Map<string, { directory: string; command: readonly string[] }>()
  const voters = hosts.map(({ address }, index) => `${index + 1}@${address}:${CONTROLLER_PORT}`).join(',')
  await Promise.all(
    hosts.map(async ({ name, address }, index) => {
      const directory = await makeDirectory(join(root.path, name), { owner: user })
      const dataDirectory = await makeDirectory(join(directory, 'data'), { owner: user })
      const logDirectory = await makeDirectory(join(directory, 'logs'), { owner: user })
      const place = { listenHost: address, advertisedHost: address, port: PORT, controllerPort: CONTROLLER_PORT, dataDirectory }
      const settings = join(directory, 'server.properties')
      const log4j = join(directory, 'log4j2.properties')
      await writeFile(settings, serverProperties(place) + ofThree(index + 1, place, voters, hosts.length), { mode: 0o644 })
      await writeFile(log4j, log4jProperties(logDirectory), { mode: 0o644 })
      const java = ['java', ...javaFlags(HEAP_MB), `-Dlog4j2.configurationFile=${log4j}`, '-cp', join(jars, '*')]
      const format = [...java, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', settings]
      await runCommand(format[0]!, format.slice(1), { timeoutMs: FORMAT_TIMEOUT_MS, user, cwd: directory })
      commands.set(name, { directory, command: [...java, 'kafka.Kafka', settings] })
    }),
  )
  const start = (host: LanHost) => {
    const { directory, command } = commands.get(host.name)!
    runOn(host, directory, 'broker', command, user)
  }
  hosts.forEach(start)
  const addresses = hosts.map(({ address }) => `${address}:${PORT}`).join(',')
  return {
    addresses,
    start,
    async leader() {
      const { stdout } = await runCommand('kcat', ['-L', '-J', '-b', addresses, '-t', COMMANDS], { timeoutMs: KCAT_TIMEOUT_MS })
      const { topics } = metadata.parse(JSON.parse(stdout.toString()))
      const leads = (index: number) => topics[0]!.partitions.filter(({ leader }) => leader === index + 1).length
      return hosts.toSorted((one, other) => leads(hosts.indexOf(other)) - leads(hosts.indexOf(one)))[0]!
    },
  }
}

/** What differs from a broker that is alone: of a property that stands twice, Java takes the second. */
function ofThree(
  id: number,
  place: { listenHost: string; port: number; controllerPort: number },
  voters: string,
  count: number,
): string {
  const { listenHost, port, controllerPort } = place
  const properties = {
    'node.id': id,
    'controller.quorum.voters': voters,
    listeners: `PLAINTEXT://${listenHost}:${port},CONTROLLER://${listenHost}:${controllerPort}`,
    'default.replication.factor': count,
    'offsets.topic.replication.factor': count,
    'replica.lag.time.max.ms': 5000,
  }
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}
