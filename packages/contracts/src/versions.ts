import type { messages } from './messages.ts'
import type { Topic } from './topics.ts'
import type { z } from 'zod'

/** The `event` of every message there is. */
export type EventName = { [T in Topic]: z.infer<(typeof messages)[T]>['event'] }[Topic]

/**
 * The version of each message, which the bus writes into it. It rises with every change but an added optional field; a test
 * holds the schemas against `schemas/`.
 */
export const versions = {
  start_stream: 2,
  stop_stream: 2,
  stream_status_update: 1,
  channel_started: 1,
  channel_stopped: 1,
  channel_failed: 1,
  channel_moved: 1,
  track_started: 1,
  track_failed: 1,
  listener_count_update: 1,
  listener_session: 1,
  channel_liked: 1,
  media_liked: 1,
  server_heartbeat: 1,
  mail_requested: 1,
  import_media: 1,
  derive_media: 1,
  retag_media: 1,
  make_cover: 1,
  make_artwork: 1,
  media_progress: 1,
  media_ready: 1,
  media_retagged: 1,
  cover_made: 1,
  media_failed: 1,
  artwork_made: 1,
  artwork_failed: 1,
} as const satisfies Record<EventName, number>
