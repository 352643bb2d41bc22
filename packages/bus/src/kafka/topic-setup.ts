import { deadLetterTopic, topics, type Topic } from '@skipcast/contracts'
import { waitFor, type Logger } from '@skipcast/runtime'
import kafkajs, { type Admin, type ITopicConfig } from 'kafkajs'
import { MAX_RECORD_BYTES } from '../wire.ts'
import type { KafkaAdmin } from './admin.ts'

const LIMIT_MS = 15_000
const SERVED_LIMIT_MS = 5000
const DAY_MS = 86_400_000
const MIB = 1024 * 1024
/** Above the largest record: what surrounds it on the wire, and the headers of a dead letter. */
const MAX_BATCH_BYTES = MAX_RECORD_BYTES + 64 * 1024
const DEAD_LETTER_RETENTION_MS = 30 * DAY_MS

export interface TopicSetup {
  /** Resolves once all topics exist. Asks Kafka only at the first time, and after `doubt`. Rejects with BUS_UNAVAILABLE. */
  ready(): Promise<void>
  /** Something failed that a missing topic could have caused: a broker may have come back with an empty disk. */
  doubt(): void
}

/** Makes the topics that are missing, each with its dead letters. What is there already stays as it is, and is only looked at. */
export function topicSetup(options: {
  admin: KafkaAdmin
  names: Record<Topic, string>
  replication: number
  logger: Logger
}): TopicSetup {
  const wanted = wantedTopics(options.names, options.replication)
  let setup: Promise<void> | undefined
  let looked = false

  const make = async (admin: Admin): Promise<void> => {
    const present = new Set(await admin.listTopics())
    const missing = wanted.filter(({ topic }) => !present.has(topic))
    if (missing.length > 0) {
      // Another process may have been faster with some of them: what counts is that they come to be there.
      const made = admin.createTopics({ topics: missing, waitForLeaders: false, timeout: LIMIT_MS })
      const failure = await made.then(
        () => undefined,
        (error: unknown) => error,
      )
      await topicsServed(admin, missing).catch((cause: unknown) => {
        throw failure ?? cause
      })
      options.logger.info({ topics: missing.map(({ topic }) => topic) }, 'topics were made')
    }
    if (looked) return
    looked = true
    const old = wanted.filter(({ topic }) => present.has(topic))
    for (const difference of await differences(admin, old)) options.logger.warn(difference, 'a topic is not set up as we would')
  }

  return {
    ready() {
      const attempt = (setup ??= options.admin.ask('to make the topics', LIMIT_MS, make))
      attempt.catch(() => {
        if (setup === attempt) setup = undefined
      })
      return attempt
    },
    doubt() {
      setup = undefined
    },
  }
}

/**
 * Resolves once the leader of each partition can be asked about it. That a topic is listed says less: its brokers learn of it a moment
 * later, and a record sent meanwhile is refused by some partitions and then sent to all of them again.
 */
async function topicsServed(admin: Admin, wanted: readonly ITopicConfig[]): Promise<void> {
  const areServed = async () => {
    for (const { topic } of wanted) await admin.fetchTopicOffsets(topic)
    return true
  }
  await waitFor('the topics to be served', areServed, { timeoutMs: SERVED_LIMIT_MS })
}

function wantedTopics(names: Record<Topic, string>, replicationFactor: number): ITopicConfig[] {
  return (Object.keys(topics) as Topic[]).flatMap((topic) => [
    {
      topic: names[topic],
      numPartitions: topics[topic].partitions,
      replicationFactor,
      configEntries: entries({ ...keeping(topic), ...common(replicationFactor) }),
    },
    {
      topic: deadLetterTopic(names[topic]),
      numPartitions: 1,
      replicationFactor,
      configEntries: entries({
        'cleanup.policy': 'delete',
        'retention.ms': DEAD_LETTER_RETENTION_MS,
        'segment.bytes': 64 * MIB,
        ...common(replicationFactor),
      }),
    },
  ])
}

/** How a topic forgets. Only closed segments are compacted, so the segments of a state topic are closed early. */
function keeping(topic: Topic): Record<string, string | number> {
  const definition = topics[topic]
  if (definition.kind === 'events')
    return { 'cleanup.policy': 'delete', 'retention.ms': definition.retentionMs, 'segment.bytes': 128 * MIB }
  return {
    'cleanup.policy': 'compact',
    'segment.bytes': 32 * MIB,
    'segment.ms': 10 * 60_000,
    'min.cleanable.dirty.ratio': 0.1,
    'delete.retention.ms': DAY_MS,
  }
}

/** With replicas, a record counts as written once all but one have it: one broker may then be away. */
function common(replicationFactor: number): Record<string, string | number> {
  return { 'max.message.bytes': MAX_BATCH_BYTES, 'min.insync.replicas': Math.max(1, replicationFactor - 1) }
}

function entries(settings: Record<string, string | number>): { name: string; value: string }[] {
  return Object.entries(settings).map(([name, value]) => ({ name, value: String(value) }))
}

/** What we rely on and did not find: how the topic forgets, how large a record may be, into how many partitions it is divided. */
async function differences(admin: Admin, wanted: readonly ITopicConfig[]): Promise<Record<string, unknown>[]> {
  if (wanted.length === 0) return []
  const found: Record<string, unknown>[] = []
  const metadata = await admin.fetchTopicMetadata({ topics: wanted.map(({ topic }) => topic) })
  const configs = await admin.describeConfigs({
    includeSynonyms: false,
    resources: wanted.map(({ topic }) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name: topic,
      configNames: ['cleanup.policy', 'max.message.bytes'],
    })),
  })
  for (const { topic, numPartitions, configEntries = [] } of wanted) {
    const partitions = metadata.topics.find(({ name }) => name === topic)?.partitions.length
    if (partitions !== numPartitions) found.push({ topic, setting: 'partitions', is: partitions, wanted: numPartitions })
    const settings = configs.resources.find(({ resourceName }) => resourceName === topic)?.configEntries ?? []
    for (const { configName: setting, configValue: is } of settings) {
      const ours = configEntries.find(({ name }) => name === setting)?.value
      const suffices = setting === 'max.message.bytes' ? Number(is) >= Number(ours) : is === ours
      if (!suffices) found.push({ topic, setting, is, wanted: ours })
    }
  }
  return found
}
