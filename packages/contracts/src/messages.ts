import type { z } from 'zod'
import { listenerMetric } from './listener-metrics.ts'
import { mailRequested } from './mails.ts'
import { mediaEvent } from './media-events.ts'
import { mediaJob } from './media-jobs.ts'
import { serverHeartbeat } from './server-heartbeats.ts'
import { streamCommand } from './stream-commands.ts'
import { streamEvent } from './stream-events.ts'
import { streamStatus } from './stream-status.ts'
import type { Topic } from './topics.ts'
import { userInteraction } from './user-interactions.ts'

/** The registry: what may stand on each topic. Producers validate against it, consumers strip unknown fields with it. */
export const messages = {
  streamCommands: streamCommand,
  streamStatus,
  streamEvents: streamEvent,
  listenerMetrics: listenerMetric,
  userInteractions: userInteraction,
  serverHeartbeats: serverHeartbeat,
  mails: mailRequested,
  mediaJobs: mediaJob,
  mediaEvents: mediaEvent,
} as const satisfies Record<Topic, z.ZodType>

export type MessageOf<T extends Topic> = z.infer<(typeof messages)[T]>
