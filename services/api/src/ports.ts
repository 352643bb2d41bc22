import type { ServerHeartbeat, StreamStatus } from '@skipcast/contracts'
import type { Stores } from '@skipcast/db'
import type { HealthBoard, Meters } from '@skipcast/runtime'
import type { Sound } from './domain/sound.ts'
import type { ServerSight } from './domain/stream-view.ts'
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
  readonly audio: AudioTools
  readonly mediaFiles: MediaFiles
  readonly health: HealthBoard
  readonly meters: Meters
  readonly telemetry: Pick<ApiTelemetry, 'answered'>
  /** 0 ≤ x < 1. */
  readonly random: () => number
  readonly settings: ApiSettings
}

export interface ApiSettings {
  /** What listeners put before a mount, without a slash at its end. */
  readonly listenUrl: string
  readonly mediaMaxBytes: number
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

/** What an uploaded file is. */
export interface Probe {
  readonly durationMs: number
  readonly tags: Readonly<Record<string, unknown>>
}

/** Looks into files of strangers: without a network, within a time limit, as an unprivileged user. */
export interface AudioTools {
  /** Rejects with UNPROCESSABLE for anything that is no audio, too long or of a strange sample rate; TOO_MANY_REQUESTS as below. */
  probe(path: string): Promise<Probe>
  /** Makes the air file, and tells what is heard in it. Rejects with UNPROCESSABLE, or TOO_MANY_REQUESTS when too many others wait. */
  convert(from: string, to: string): Promise<{ readonly durationMs: number; readonly sound: Sound }>
}

/** A file that is being made, gone with all beside it when disposed. */
export interface IncomingFile extends AsyncDisposable {
  readonly path: string
  /** Where the air file is made. */
  readonly airPath: string
  /** Writes what comes to `path`. Rejects with TOO_LARGE above `maxBytes`, NO_SPACE, and with what `bytes` fail with. */
  write(bytes: AsyncIterable<Buffer>, maxBytes: number): Promise<{ readonly sha256: string }>
}

/** The media store: air files by the hash of their content. */
export interface MediaFiles {
  receive(): IncomingFile
  /** The hash and size of a file that was made beside an incoming one. */
  measure(path: string): Promise<{ readonly sha256: string; readonly sizeBytes: number }>
  /** Moves an air file to its place; resolves when it is safely on the disk. One that is there already is the same. */
  keep(path: string, sha256: string): Promise<void>
  remove(sha256: string): Promise<void>
}
