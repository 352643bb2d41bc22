import type { StreamCommand, Track } from '@skipcast/contracts'

/** What the stores of channels, media and servers take and give; of people, `account-records.ts` tells. Instants are Dates; counters that grow without end are safe integers. */

export type ChannelSort = 'created_at' | 'updated_at' | 'name' | 'slug'
export type MediaSort = 'created_at' | 'title' | 'artist' | 'duration_ms'

/** A channel as wanted: what a person asked for and where it was placed. What really runs, agents tell on the bus. */
export interface Channel {
  readonly id: string
  readonly ownerId: string
  readonly name: string
  readonly slug: string
  readonly description: string
  /** The names of its genres, with commas between. */
  readonly genre: string
  /** In order. */
  readonly genreIds: readonly number[]
  /** `private`: known to its owner and admins alone, and heard by whom they give a link. */
  readonly privacy: 'public' | 'private'
  readonly mode: 'copy' | 'encode'
  /** What it is sent as; all but MP3 need mode `encode`. */
  readonly format: 'mp3' | 'opus' | 'aac'
  readonly bitrateKbps: number
  /** How long one piece sounds together with the next; 0: not at all. */
  readonly crossfadeMs: number
  /** Every piece is brought to this loudness; null: as it is. */
  readonly loudnessLufs: number | null
  readonly wanted: 'on' | 'off'
  /** Grows by one with each command that is published. */
  readonly generation: number
  /** On how many servers it plays; the second stands by. */
  readonly replicas: 1 | 2
  /** What its servers must have. */
  readonly serverLabels: Readonly<Record<string, string>>
  /** The only server that may have it; null: any. */
  readonly pinnedServerId: string | null
  /** Grows with each change of `serverId`; counted together with `standbyEpoch`: see `moveReplicas`. */
  readonly epoch: number
  readonly serverId: string | null
  /** Which of the channel's mounts the primary feeds: `own` is `/{slug}`, `waiting` is `/w/{slug}`. The standby feeds the other. */
  readonly primaryMount: 'own' | 'waiting'
  /** Of the second replica that there is, or was last. */
  readonly standbyEpoch: number
  /** Where the second replica is. */
  readonly standbyServerId: string | null
  /** When, from where and why `serverId` was changed last; from nowhere when it was off. */
  readonly movedAt: Date | null
  readonly movedFrom: string | null
  readonly movedBecause: string | null
  /** When the server before gives it up; null: at once, it is lost or has nothing. */
  readonly handOver: 'now' | 'track_end' | null
  /** Grows with each change of any kind, the playlist's too. */
  readonly revision: number
  /** When the last command was given; null before the first. */
  readonly commandedAt: Date | null
  readonly createdAt: Date
  readonly updatedAt: Date
  /** Its picture, of the kind `covers` in the media store; null: it has none. */
  readonly artworkSha256: string | null
  /** So many may hear it at once; null: no limit. */
  readonly maxListeners: number | null
  /** How many hear it, as counted lately; null: nobody has. */
  readonly listeners: number | null
  /** How many like it. */
  readonly likes: number
  /** How many looked at it, each once a day. */
  readonly views: number
  /** Since when it is in the trash; null: it is not. */
  readonly deletedAt: Date | null
}

/** What somebody says of a channel. */
export interface Review {
  readonly id: string
  readonly channelId: string
  readonly userId: string
  /** The name of the user. */
  readonly author: string
  readonly text: string
  readonly createdAt: Date
}

/** Which channels and pieces somebody may know of: all; those that are public; or these and what is theirs. */
export type Sight = 'everything' | 'public' | { readonly ownerId: string }

type SendingFields = 'mode' | 'format' | 'bitrateKbps' | 'crossfadeMs' | 'loudnessLufs'

export type NewChannel = Pick<Channel, 'ownerId' | 'name' | 'slug' | 'description' | 'mode' | 'bitrateKbps'> &
  Partial<Pick<Channel, SendingFields | 'genreIds' | 'privacy' | 'maxListeners'>>

/** What people wish of its place. No agent needs to know of it. */
export type PlacementWish = Pick<Channel, 'replicas' | 'serverLabels' | 'pinnedServerId'>

/** Where it shall be. `movedBecause` and `handOver` tell of a change of `serverId`, and count only with one; but that nobody hands over any more counts always. */
export type Placement = Pick<Channel, 'serverId' | 'standbyServerId' | 'movedBecause' | 'handOver'>

/** What can be changed of a channel. */
export type ChannelChange = Partial<
  Pick<Channel, 'name' | 'description' | 'genreIds' | 'privacy' | 'maxListeners' | 'wanted' | 'deletedAt' | SendingFields> &
    PlacementWish &
    Placement
>

/** A kind of music or talk. */
export interface Genre {
  readonly id: number
  readonly name: string
  readonly slug: string
}

/** How many wanted channels of a kind a server has, second replicas among them. */
export interface PlacedCount {
  readonly serverId: string
  readonly mode: Channel['mode']
  readonly format: Channel['format']
  readonly channels: number
}

/** What the servers carry, and which of them shall be empty. */
export interface Books {
  readonly placed: readonly PlacedCount[]
  readonly drained: readonly string[]
}

/** Somebody's wish that a server be empty. */
export interface Drain {
  readonly serverId: string
  readonly at: Date
  /** The name of the user. */
  readonly by: string
}

export interface Media {
  readonly id: string
  readonly ownerId: string
  /** `processing`: the role media is at it. `failed`: it can not be played. */
  readonly state: 'processing' | 'ready' | 'failed'
  /** Why it failed, for its owner. */
  readonly problem: string | null
  readonly title: string
  readonly artist: string
  readonly album: string
  /** As its file's tags say. */
  readonly genre: string
  /** Empty, or four digits. */
  readonly year: string
  readonly track: number | null
  readonly visibility: 'public' | 'private'
  /** Whether others who may read it may have its file. */
  readonly downloadable: boolean
  /** Of the air file, as are size and duration; null until it is ready. */
  readonly sha256: string | null
  readonly sizeBytes: number | null
  readonly durationMs: number | null
  /** Measured at import; null for silence, and where it never was. */
  readonly loudnessLufs: number | null
  readonly peakDbfs: number | null
  /** Where it is heard from and to; null: to its end. */
  readonly cueInMs: number
  readonly cueOutMs: number | null
  readonly originalName: string
  /** Of the upload as it came. */
  readonly originalSha256: string
  /** The file as its owner may download it: the upload, with the tags of now. Null: it was not kept. */
  readonly fileSha256: string | null
  readonly fileSizeBytes: number | null
  /** `video`: it has moving pictures too, which are not sent. What follows is null until it is known. */
  readonly kind: 'audio' | 'video' | null
  readonly contentType: string | null
  readonly container: string | null
  readonly codec: string | null
  readonly fileBitrateKbps: number | null
  readonly channelCount: number | null
  readonly sampleRate: number | null
  readonly coverSha256: string | null
  readonly waveformSha256: string | null
  /** How many like it. */
  readonly likes: number
  readonly createdAt: Date
  /** Since when it is in the trash. */
  readonly deletedAt: Date | null
}

type KnownAtFirst = 'ownerId' | 'title' | 'artist' | 'album' | 'originalName' | 'originalSha256'

export type NewMedia = Pick<Media, KnownAtFirst> & Partial<Omit<Media, KnownAtFirst | 'id' | 'likes' | 'createdAt' | 'deletedAt'>>

/** A file of the media store. */
export interface MediaFile {
  readonly kind: 'air' | 'originals' | 'covers' | 'waveforms'
  readonly sha256: string
}

/** What can be changed of a piece. */
export type MediaChange = Partial<
  Pick<
    Media,
    | 'title'
    | 'artist'
    | 'album'
    | 'genre'
    | 'year'
    | 'track'
    | 'visibility'
    | 'downloadable'
    | 'cueInMs'
    | 'cueOutMs'
    | 'coverSha256'
  >
>

/** Which media a list is of; what is absent does not matter. */
export interface MediaFilter {
  /** null: anybody's. */
  readonly ownerId: string | null
  readonly isTrashed: boolean
  readonly state?: Media['state'] | undefined
  readonly kind?: 'audio' | 'video' | undefined
  readonly visibility?: Media['visibility'] | undefined
}

/** Work that the role media was asked for, on a piece, or on the artwork of a channel. */
export interface MediaJob {
  readonly id: string
  readonly mediaId: string | null
  readonly channelId: string | null
  /** The `event` of its message. */
  readonly kind: string
  readonly state: 'waiting' | 'running' | 'done' | 'failed'
  readonly percent: number
  readonly problem: string | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** A piece in a playlist, with what is known for its mixing. */
export interface PlaylistTrack extends Omit<Track, 'gain_db' | 'cue_in_ms' | 'cue_out_ms'> {
  readonly loudness_lufs: number | null
  readonly peak_dbfs: number | null
  readonly cue_in_ms: number
  readonly cue_out_ms: number | null
}

export interface ListenerCount {
  readonly channelId: string
  readonly count: number
  readonly peak: number
  readonly observedAt: Date
}

/** How many listened during a time, from `at` on. The mean is over time. */
export interface ListenerPoint {
  readonly at: Date
  readonly min: number
  readonly mean: number
  readonly max: number
}

/** One airing of one track. */
export interface TrackPlay {
  readonly id: string
  readonly channelId: string
  /** The piece may be gone by now. */
  readonly mediaId: string
  readonly title: string
  readonly artist: string
  readonly serverId: string
  readonly startedAt: Date
}

/** From, inclusive, to, exclusive. */
export interface Span {
  readonly from: Date
  readonly to: Date
}

export interface PageRequest {
  /** From 1. */
  readonly page: number
  readonly perPage: number
}

/** A page of a list that can be searched and sorted. */
export interface ListRequest<Sort extends string> extends PageRequest {
  /** Case does not matter. */
  readonly search?: string | undefined
  readonly sort: Sort
  readonly order: 'asc' | 'desc'
}

export interface Page<T> {
  readonly items: T[]
  readonly total: number
}

/** Makes the message that tells agents what is wanted of a channel now. It throws when there is no valid one. */
export type ToCommand = (channel: Channel, tracks: readonly PlaylistTrack[], at: Date) => StreamCommand
