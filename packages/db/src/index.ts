export { openDatabase, type Database } from './database.ts'
export { inBatches } from './in-batches.ts'
export { leadership, type LeaderSession } from './leadership.ts'
export { migrate } from './migrate.ts'
export { newId } from './new-id.ts'
export { localPostgres, type LocalPostgres } from './postgres/local-postgres.ts'
export type { AccountRows, AccountTable, Condition, Row } from './stores/account-rows.ts'
export type { AccountStore } from './stores/accounts.ts'
export { OUTBOX_CHANNEL } from './stores/channel-writes.ts'
export type { ChannelListRequest } from './stores/channel-list.ts'
export type { ChannelTrash } from './stores/channel-trash.ts'
export type { ChannelStore } from './stores/channels.ts'
export { MOST_GENRES_EACH, type GenreStore } from './stores/genres.ts'
export { historyOf, type History } from './stores/history.ts'
export { COUNT_STALE_AFTER_MS, type ListenerCountStore } from './stores/listener-counts.ts'
export type { MediaJobStore } from './stores/media-jobs.ts'
export type { MediaTrash } from './stores/media-trash.ts'
export type { OpinionStore } from './stores/opinions.ts'
export type { MediaStore } from './stores/media.ts'
export { outboxOf, type Outbox, type OutboxEntry } from './stores/outbox.ts'
export { personalTables, type PersonalData } from './stores/personal-data.ts'
export type { PlaylistStore } from './stores/playlists.ts'
export type { Account, ApiToken, Identity, Role, User, UserSort } from './stores/account-records.ts'
export type {
  Books,
  Channel,
  ChannelChange,
  ChannelSort,
  Drain,
  Genre,
  ListenerCount,
  ListenerPoint,
  ListRequest,
  Media,
  MediaChange,
  MediaFile,
  MediaJob,
  MediaSort,
  NewChannel,
  NewMedia,
  Page,
  PageRequest,
  Placement,
  PlacementWish,
  PlaylistTrack,
  Review,
  Sight,
  Span,
  ToCommand,
  TrackPlay,
} from './stores/records.ts'
export type { SessionRecord } from './stores/sessions.ts'
export { sharedLocks, type SharedLocks } from './shared-locks.ts'
export { openStores, type Stores } from './stores/stores.ts'
export { tokenHashOf, type IssuedToken } from './stores/tokens.ts'
export type { TrackPlayStore } from './stores/track-plays.ts'
export type { MediaUsage } from './stores/quotas.ts'
export type { Upload, UploadStore } from './stores/uploads.ts'
