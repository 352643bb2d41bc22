import { topics, type Topic } from '@skipcast/contracts'
import { env } from '@skipcast/runtime'
import { z } from 'zod'
import { securityOf, securityProblems, securityVariables } from './config-security.ts'

const MAX_BROKERS = 20

const brokers = z
  .string()
  .transform((value) => value.split(',').map((broker) => broker.trim()))
  .pipe(
    z
      .array(
        z.string().regex(/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253}):\d{1,5}$/, 'must be host:port, several divided by commas'),
      )
      .max(MAX_BROKERS),
  )

const topicName = (definition: (typeof topics)[Topic]) => env.name().default(definition.defaultName)

/** The variables of the bus. */
export const busEnv = z
  .object({
    EVENT_BUS: z.enum(['kafka', 'memory'], { error: 'must be kafka or memory' }).default('kafka'),
    KAFKA_BROKER: brokers.optional(),
    ...securityVariables,
    KAFKA_CLIENT_ID: env.name().default('skipcast'),
    KAFKA_CONSUMER_GROUP: env.name().default('skipcast'),
    KAFKA_REPLICATION: env.integer(1, 7).default(1),
    KAFKA_TOPIC_STREAM_COMMANDS: topicName(topics.streamCommands),
    KAFKA_TOPIC_STREAM_STATUS: topicName(topics.streamStatus),
    KAFKA_TOPIC_STREAM_EVENTS: topicName(topics.streamEvents),
    KAFKA_TOPIC_LISTENER_METRICS: topicName(topics.listenerMetrics),
    KAFKA_TOPIC_USER_INTERACTIONS: topicName(topics.userInteractions),
    KAFKA_TOPIC_SERVER_HEARTBEATS: topicName(topics.serverHeartbeats),
    KAFKA_TOPIC_MAILS: topicName(topics.mails),
    KAFKA_TOPIC_MEDIA_JOBS: topicName(topics.mediaJobs),
    KAFKA_TOPIC_MEDIA_EVENTS: topicName(topics.mediaEvents),
  })
  .check(({ value, issues }) => {
    for (const { variable, message } of securityProblems(value))
      issues.push({ code: 'custom', path: [variable], message, input: undefined })
  })
  .transform((given) => ({
    kind: given.EVENT_BUS,
    /** Empty: none was given, and whoever starts this process runs its own. */
    brokers: given.KAFKA_BROKER ?? [],
    security: securityOf(given),
    clientId: given.KAFKA_CLIENT_ID,
    consumerGroup: given.KAFKA_CONSUMER_GROUP,
    /** How many brokers hold each topic that is made by us. */
    replication: given.KAFKA_REPLICATION,
    topicNames: {
      streamCommands: given.KAFKA_TOPIC_STREAM_COMMANDS,
      streamStatus: given.KAFKA_TOPIC_STREAM_STATUS,
      streamEvents: given.KAFKA_TOPIC_STREAM_EVENTS,
      listenerMetrics: given.KAFKA_TOPIC_LISTENER_METRICS,
      userInteractions: given.KAFKA_TOPIC_USER_INTERACTIONS,
      serverHeartbeats: given.KAFKA_TOPIC_SERVER_HEARTBEATS,
      mails: given.KAFKA_TOPIC_MAILS,
      mediaJobs: given.KAFKA_TOPIC_MEDIA_JOBS,
      mediaEvents: given.KAFKA_TOPIC_MEDIA_EVENTS,
    } satisfies Record<Topic, string>,
  }))

export type BusConfig = z.output<typeof busEnv>
