import { busEnv, kafkaInspector, type KafkaInspector } from '@skipcast/bus'
import { topics, type Topic } from '@skipcast/contracts'
import { createLogger, openHome, readConfig } from '@skipcast/runtime'
import { serverEnv } from '../config.ts'
import { chooseTransport } from '../transport.ts'
import { UsageError, type Call } from './command.ts'

export interface OpenKafka {
  readonly inspector: KafkaInspector
  readonly topicNames: Readonly<Record<Topic, string>>
}

/** The Kafka of this environment: the one at KAFKA_BROKER, else the broker of the home. */
export async function openKafka({ environment }: Pick<Call, 'environment'>): Promise<OpenKafka & AsyncDisposable> {
  const { server, bus } = readConfig({ server: serverEnv, bus: busEnv }, environment)
  const logger = createLogger({ level: 'silent' })
  const transport = await chooseTransport(new Set(), bus, undefined, await openHome(server.home), logger)
  const inspector = kafkaInspector(transport.bus, logger)
  return {
    inspector,
    topicNames: transport.bus.topicNames,
    [Symbol.asyncDispose]: () => inspector[Symbol.asyncDispose](),
  }
}

/** The topic that a person named by its full name or by its default name. Throws UsageError with those there are. */
export function topicCalled(name: string, names: Readonly<Record<Topic, string>>): Topic {
  const all = Object.keys(topics) as Topic[]
  const found = all.find((topic) => [topic, names[topic], topics[topic].defaultName].includes(name))
  if (!found) throw new UsageError(`There is no topic "${name}". There are: ${all.map((topic) => names[topic]).join(', ')}.`)
  return found
}
