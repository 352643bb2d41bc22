import type { Readable } from 'node:stream'
import type { ServerHeartbeat, StreamStatus } from '@skipcast/contracts'
import type { Channel, SharedLocks, Stores, User } from '@skipcast/db'
import type { MediaStore } from '@skipcast/media-store'
import type { HealthBoard, Meters } from '@skipcast/runtime'
import type { Mail } from './domain/mail.ts'
import type { JobContext } from './domain/media-job.ts'
import type { MediaPart } from './domain/media-parts.ts'
import type { ServerSight } from './domain/stream-view.ts'
import type { MediaNews } from './media-news.ts'
import type { ApiTelemetry } from './telemetry.ts'

/** What the routes and the use cases need from the world. */
export interface ApiPorts {
  readonly stores: Stores
  readonly fleet: Fleet
  /** What agents told last of each channel. */
  readonly statuses: ReadonlyMap<string, StreamStatus>
  /** Since when (ms since the epoch) what agents tell does not reach us; null while it does. */
  readonly deafSince: () => number | null
  /** Calls back when an agent told something new, or was or was not heard again; returns how to stop that. */
  readonly onStatusChange: (listener: () => void) => () => void
  readonly logIns: LogIns
  /** What jobs for the role media say of us. */
  readonly jobs: JobContext
  readonly mediaNews: MediaNews
  readonly incomingFiles: IncomingFiles
  readonly uploadFiles: UploadFiles
  readonly locks: SharedLocks
  readonly mediaStore: MediaStore
  /** Who speaks in messages of ours. */
  readonly origin: { readonly application: string; readonly environment: string }
  readonly viewers: Viewers
  /** The token with which a private channel is heard until then. */
  readonly listenToken: (channelId: string, expiresAt: Date) => string
  readonly mediaLinks: MediaLinks
  readonly health: HealthBoard
  readonly meters: Meters
  readonly telemetry: Pick<ApiTelemetry, 'answered' | 'swept'>
  /** 0 ≤ x < 1. */
  readonly random: () => number
  readonly settings: ApiSettings
}

/** Counts who looks at channels, each once a day. */
export interface Viewers {
  /** Somebody looked: this user, or whoever is at this address. Holds nobody up; what can not be written is not counted. */
  looked(channel: Channel, who: { readonly userId: string | null; readonly address: string }): void
}

export interface ApiSettings {
  /** What listeners put before a mount, without a slash at its end. */
  readonly listenUrl: string
  /** So long a link to a private channel is good, unless somebody wishes it shorter or longer. */
  readonly listenUrlMinutes: number
  readonly mediaMaxBytes: number
  /** What the media of somebody without a limit of their own may take; 0: no limit. */
  readonly mediaQuotaBytes: number
  /** Of one user who is neither premium nor an admin. */
  readonly channelsPerUser: number
  /** So long a deleted channel can be had back. */
  readonly trashDays: number
  readonly bitrateKbps: number
  /** Who follows the streams, at most. */
  readonly maxEventClients: number
  readonly maxEventClientsPerAddress: number
  /** Of one token, or of one address without one. */
  readonly requestsPerMinute: number
  /** When more of the servers than this fall silent at once, it is taken for a fault of ours. */
  readonly maxSilentPercent: number
  /** Addresses and networks whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[]
  /** Where people reach this API, without a slash at its end. Links in mails and log-ins by a provider come back here; `Host` never counts. */
  readonly publicUrl: string
  /** Tries to log in, register or ask for a mail: of one address in a minute, and about one account in a quarter of an hour. */
  readonly triesPerAddress: number
  readonly triesPerAccount: number
}

/** A session that was just begun. */
export interface LogIn {
  readonly user: User
  /** Speaks for the user until it expires or is ended; known to nobody else. */
  readonly token: string
  readonly expiresAt: Date
}

export interface Registration {
  readonly username: string
  readonly name: string
  readonly email: string
  readonly password: string
}

/**
 * How people prove who they are. Whether an address is known is told by no answer. Every method may reject with DATABASE_UNAVAILABLE;
 * UNPROCESSABLE is for links and codes that are wrong, used or too old.
 */
export interface LogIns {
  /** Makes a user who may log in once the address is confirmed. Rejects with CONFLICT when the user name is taken, FORBIDDEN where nobody may register. */
  register(registration: Registration): Promise<User>
  /** Sends the link once more, where there is something to confirm. */
  requestConfirmation(email: string): Promise<void>
  /** Of a registration, or of another address. Rejects with UNPROCESSABLE. */
  confirmEmail(token: string): Promise<void>
  /**
   * Sends a link to the new address, and tells the one before; nothing changes until the link is used. A changed password ends the link. Rejects with UNPROCESSABLE
   * for a wrong password.
   */
  requestEmailChange(userId: string, password: string, email: string): Promise<void>
  /** Sends a link by which somebody whom an admin made sets a password, and so confirms the address. */
  invite(user: { readonly id: string; readonly email: string }): Promise<void>
  /** Rejects with UNAUTHENTICATED, SECOND_FACTOR_NEEDED (send `code` too), EMAIL_UNCONFIRMED. */
  logIn(email: string, password: string, code: string | null): Promise<LogIn>
  requestPasswordReset(email: string): Promise<void>
  /** Ends all that speaks for the user. Rejects with UNPROCESSABLE. */
  resetPassword(token: string, password: string): Promise<void>
  /** Ends all sessions of the user and begins another. Rejects with UNPROCESSABLE for a wrong password. */
  changePassword(session: string, current: string, next: string): Promise<LogIn>
  /** Resolves when this is the password of the user. Rejects with UNPROCESSABLE. */
  requirePassword(userId: string, password: string): Promise<void>
  /** Where else people may prove who they are. */
  readonly providers: readonly Provider[]
  /** `cookies` go to the browser, which brings them back. Rejects with NOT_FOUND, PROVIDER_UNAVAILABLE. */
  beginAt(provider: string, wish: SessionKind): Promise<{ readonly url: string; readonly cookies: readonly string[] }>
  /** With what the provider sent the browser back. Rejects with NOT_FOUND, or UNPROCESSABLE, which says what to do. */
  finishAt(provider: string, query: string, cookie: string): Promise<LogIn & { readonly wish: SessionKind }>
  /** Makes a second factor, which counts once it is confirmed by a code. Rejects with UNPROCESSABLE for a wrong password, CONFLICT when there is one. */
  beginTotp(session: string, password: string): Promise<{ readonly uri: string; readonly recoveryCodes: readonly string[] }>
  /** The session goes on as another one. Rejects with UNPROCESSABLE. */
  confirmTotp(session: string, code: string): Promise<LogIn>
  /** As above. */
  endTotp(session: string, password: string): Promise<LogIn>
}

/** How a session is handed out: its token is told, for programs; or put into a cookie that no script can read, for browsers. */
export type SessionKind = 'token' | 'cookie'

export interface Provider {
  readonly id: string
  readonly name: string
}

/** Makes mails unreadable but for this installation, while they wait for being sent. */
export interface MailSealer {
  seal(mail: Mail, expiresAt: Date): Promise<string>
  /** null: it has expired. Rejects with MESSAGE_INVALID for what was sealed with another key. */
  open(sealed: string): Promise<Mail | null>
}

/** Hands mails to a mail server. */
export interface Postbox {
  /** Rejects with MAIL_UNAVAILABLE while the server is away, or (`details`: `deferred`) asks to come again with this mail; with COMMAND_FAILED when it refuses for good. */
  send(mail: { readonly id: string; readonly to: string; readonly subject: string; readonly text: string }): Promise<void>
}

/** The servers that run engines, as their heartbeats tell. */
export interface Fleet {
  sight(serverId: string): ServerSight
  /** When it was heard last, by our clock, in ms since the epoch; null: never. */
  heardAt(serverId: string): number | null
  /** All that ever told of themselves, in order of their ids. */
  list(): FleetMember[]
}

export interface FleetMember {
  readonly heartbeat: ServerHeartbeat
  readonly sight: ServerSight
  /** By our clock, in ms since the epoch. */
  readonly heardAt: number
}

/** A file that comes, gone when disposed. */
export interface IncomingFile extends AsyncDisposable {
  readonly path: string
  /** Writes what comes to `path`. Rejects with TOO_LARGE above `maxBytes`, NO_SPACE, and with what `bytes` fail with. */
  write(bytes: AsyncIterable<Buffer>, maxBytes: number): Promise<{ readonly sha256: string; readonly sizeBytes: number }>
}

/** Where uploads come in, on this machine. */
export interface IncomingFiles {
  receive(): IncomingFile
}

/** The bytes of resumable uploads, on this machine, by their ids. Who writes to one holds its lock. */
export interface UploadFiles {
  /** The name of the folder they are in: the same for all processes that share it, and another elsewhere. */
  readonly place: string
  /** Makes an empty one. Rejects with NO_SPACE where so many bytes are not free. */
  begin(id: string, sizeBytes: number): Promise<void>
  /** Writes what comes from this byte on; resolves to how many are there now. What fails leaves what was written. Rejects with NO_SPACE, and with what `bytes` fail with. */
  append(id: string, bytes: Readable, fromByte: number): Promise<number>
  /** null: it is not here. */
  sizeOf(id: string): Promise<number | null>
  /** A file with the same bytes, for who takes it away; they stay here too, until they are removed. Costs no room where it can be a link. Rejects with NO_SPACE. */
  take(id: string): Promise<string>
  list(): Promise<string[]>
  /** Also of what was taken and is still here. Removing what is not there does nothing. */
  remove(id: string): Promise<void>
}

/** What a link lets its holder have: this file of this piece, as long as it is this content. */
export interface LinkClaim {
  readonly part: MediaPart
  readonly mediaId: string
  readonly sha256: string
  /** It was for all when the link was made, and the link is good only while it is. */
  readonly isForAll: boolean
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

/** Signs links to files. All processes of one installation agree. */
export interface MediaLinks {
  sign(claim: LinkClaim): string
  /** Whether this is the claim's signature, in a time that does not tell how much of it is right. */
  isSigned(claim: LinkClaim, signature: string): boolean
}
