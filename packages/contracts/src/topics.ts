/**
 * The topics, their default names and what they promise. Names and variables are part of the product's interface.
 *
 * Two kinds only. A `state` topic keeps the last value of each key (compacted; a null value removes the key), and
 * a reader rebuilds itself from the beginning. An `events` topic holds past facts, kept for `retentionMs`.
 */
export const topics = {
  streamCommands: {
    defaultName: 'skipcast-stream-commands',
    env: 'KAFKA_TOPIC_STREAM_COMMANDS',
    kind: 'state',
    partitions: 12,
  },
  streamStatus: {
    defaultName: 'skipcast-stream-status',
    env: 'KAFKA_TOPIC_STREAM_STATUS',
    kind: 'state',
    partitions: 12,
  },
  streamEvents: {
    defaultName: 'skipcast-stream-events',
    env: 'KAFKA_TOPIC_STREAM_EVENTS',
    kind: 'events',
    partitions: 12,
    retentionMs: 30 * 86_400_000,
  },
  listenerMetrics: {
    defaultName: 'skipcast-listener-metrics',
    env: 'KAFKA_TOPIC_LISTENER_METRICS',
    kind: 'events',
    partitions: 12,
    retentionMs: 7 * 86_400_000,
  },
  userInteractions: {
    defaultName: 'skipcast-user-interactions',
    env: 'KAFKA_TOPIC_USER_INTERACTIONS',
    kind: 'events',
    partitions: 12,
    retentionMs: 30 * 86_400_000,
  },
  // One partition: when its leader dies, all servers fall silent together, and nobody takes some of them for lost.
  serverHeartbeats: {
    defaultName: 'skipcast-server-heartbeats',
    env: 'KAFKA_TOPIC_SERVER_HEARTBEATS',
    kind: 'state',
    partitions: 1,
  },
  /** What mails say is sealed, and of no use after a day; so they are not kept for longer than it takes to repair a mail server. */
  mails: {
    defaultName: 'skipcast-mails',
    env: 'KAFKA_TOPIC_MAILS',
    kind: 'events',
    partitions: 3,
    retentionMs: 2 * 86_400_000,
  },
  /** Work for the role media. A partition waits for its job, which may take minutes: so there are more than workers. */
  mediaJobs: {
    defaultName: 'skipcast-media-jobs',
    env: 'KAFKA_TOPIC_MEDIA_JOBS',
    kind: 'events',
    partitions: 24,
    retentionMs: 7 * 86_400_000,
  },
  mediaEvents: {
    defaultName: 'skipcast-media-events',
    env: 'KAFKA_TOPIC_MEDIA_EVENTS',
    kind: 'events',
    partitions: 12,
    retentionMs: 7 * 86_400_000,
  },
} as const satisfies Record<string, TopicDefinition>

export type TopicDefinition =
  | { readonly defaultName: string; readonly env: string; readonly kind: 'state'; readonly partitions: number }
  | {
      readonly defaultName: string
      readonly env: string
      readonly kind: 'events'
      readonly partitions: number
      readonly retentionMs: number
    }

export type Topic = keyof typeof topics
export type StateTopic = { [T in Topic]: (typeof topics)[T]['kind'] extends 'state' ? T : never }[Topic]
export type EventTopic = Exclude<Topic, StateTopic>

/** A record that can't be read, or whose handler can never succeed, goes to this topic with the reason in its headers. */
export function deadLetterTopic(topicName: string): string {
  return `${topicName}.dlq`
}
