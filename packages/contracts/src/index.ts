export { stamp } from './envelope.ts'
export { signListenToken, type ListenClaim } from './listen-token.ts'
export { listenerMetric, type ListenerMetric } from './listener-metrics.ts'
export { mailRequested, type MailRequested } from './mails.ts'
export { mediaEvent, type ArtworkEvent, type FileTags, type MediaEvent, type PieceEvent } from './media-events.ts'
export { mediaFormat, mediaJob, type MediaFormat, type MediaJob, type MediaTags } from './media-jobs.ts'
export { messages, type MessageOf } from './messages.ts'
export { serverHeartbeat, type ServerHeartbeat } from './server-heartbeats.ts'
export { signSourceToken, verifySourceToken, type SourceClaim } from './source-token.ts'
export {
  isSuperseded,
  MOST_CROSSFADE_MS,
  MOST_LISTENERS,
  streamCommand,
  streamCost,
  streamFormat,
  streamMode,
  track,
  type StartStream,
  type StreamCommand,
  type Track,
} from './stream-commands.ts'
export { streamEvent, type StreamEvent } from './stream-events.ts'
export {
  nowPlaying,
  phase,
  standbyKey,
  streamError,
  streamStatus,
  type NowPlaying,
  type Phase,
  type StreamError,
  type StreamStatus,
} from './stream-status.ts'
export { deadLetterTopic, topics, type EventTopic, type StateTopic, type Topic, type TopicDefinition } from './topics.ts'
export { userInteraction, type ListenerSession, type UserInteraction } from './user-interactions.ts'
export { versions, type EventName } from './versions.ts'
