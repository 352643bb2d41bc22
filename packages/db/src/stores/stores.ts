import type { Database } from '../database.ts'
import { accountRows, type AccountRows } from './account-rows.ts'
import { accountStore, type AccountStore } from './accounts.ts'
import { channelArtworkStore, type ChannelArtworkStore } from './channel-artwork.ts'
import { channelStore, type ChannelStore } from './channels.ts'
import { erasure, type Erasure } from './erasure.ts'
import { channelTrash, type ChannelTrash } from './channel-trash.ts'
import { genreStore, type GenreStore } from './genres.ts'
import { listenerCountStore, type ListenerCountStore } from './listener-counts.ts'
import { mediaJobStore, type MediaJobStore } from './media-jobs.ts'
import { mediaTrash, type MediaTrash } from './media-trash.ts'
import { mediaStore, type MediaStore } from './media.ts'
import { outboxDepth, type OutboxDepth } from './outbox.ts'
import { personalData, type PersonalData } from './personal-data.ts'
import { opinionStore, type OpinionStore } from './opinions.ts'
import { playlistStore, type PlaylistStore } from './playlists.ts'
import type { ToCommand } from './records.ts'
import { serverStore, type ServerStore } from './servers.ts'
import { trackPlayStore, type TrackPlayStore } from './track-plays.ts'
import { trustedTokens } from './trusted-tokens.ts'
import { uploadStore, type UploadStore } from './uploads.ts'

/** Everything that is kept in PostgreSQL. */
export interface Stores {
  readonly accounts: AccountStore
  readonly accountRows: AccountRows
  readonly personalData: PersonalData
  readonly erasure: Erasure
  readonly channels: ChannelStore
  readonly channelArtwork: ChannelArtworkStore
  readonly channelTrash: ChannelTrash
  readonly genres: GenreStore
  readonly opinions: OpinionStore
  readonly playlists: PlaylistStore
  readonly media: MediaStore
  readonly uploads: UploadStore
  readonly mediaJobs: MediaJobStore
  readonly mediaTrash: MediaTrash
  readonly listenerCounts: ListenerCountStore
  readonly trackPlays: TrackPlayStore
  readonly servers: ServerStore
  readonly outboxDepth: () => Promise<OutboxDepth>
}

export function openStores(database: Database, options: { toCommand: ToCommand }): Stores {
  const tokens = trustedTokens()
  return {
    accounts: accountStore(database, tokens),
    accountRows: accountRows(database, () => tokens.distrustAll()),
    personalData: personalData(database),
    erasure: erasure(database, options.toCommand),
    channels: channelStore(database, options.toCommand),
    channelArtwork: channelArtworkStore(database),
    channelTrash: channelTrash(database, options.toCommand),
    genres: genreStore(database),
    opinions: opinionStore(database),
    playlists: playlistStore(database, options.toCommand),
    media: mediaStore(database, options.toCommand),
    uploads: uploadStore(database),
    mediaJobs: mediaJobStore(database, options.toCommand),
    mediaTrash: mediaTrash(database, options.toCommand),
    listenerCounts: listenerCountStore(database),
    trackPlays: trackPlayStore(database),
    servers: serverStore(database),
    outboxDepth: () => outboxDepth(database),
  }
}
