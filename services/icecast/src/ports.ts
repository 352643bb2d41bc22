import type { Listener } from './domain/guests.ts'
import type { ObservedMount, Sound } from './domain/plan.ts'

/** What the running Icecast can be asked and told. Every method rejects with ICECAST_UNAVAILABLE when it does not answer. */
export interface IcecastAdmin {
  /** All mounts that have a source, hidden ones too. */
  mounts(): Promise<Map<string, ObservedMount>>
  /** Who hears a mount; nobody where there is none. */
  listeners(mount: string): Promise<readonly MountListener[]>
  /** Ends one listener's connection. Does nothing where it is gone, or is being handed on. */
  endListener(mount: string, id: string): Promise<void>
  /** Ends the mount's source. `ending`: it is on its way out, or on its way in; ask again. */
  kill(mount: string, signal?: AbortSignal): Promise<'killed' | 'ending' | 'absent'>
  /** Says where listeners go when the mount's present source ends; false when the mount is not running. */
  setFallback(mount: string, fallback: string): Promise<boolean>
  /** Takes all listeners of one mount to another; false when one of the two is not running. */
  moveListeners(from: string, to: string): Promise<boolean>
}

export interface MountListener extends Listener {
  readonly id: string
}

/** The highest epoch that was ever let in, per channel and mount, on disk. One question at a time for each. */
export interface EpochStore {
  /** Null: none yet. Rejects when the disk can't be read. */
  highest(channelId: string, mount: string): Promise<number | null>
  /** Returns once it is on the disk. Rejects, and then nothing has changed, when it can't be written. */
  raise(channelId: string, mount: string, epoch: number): Promise<void>
}

/** Where the front sends those who ask for a channel. It outlives this process, and the front. */
export interface Signposts {
  /** The channel's mount that they are sent to. */
  of(channelMount: string): string
  /** Sends them to this mount of the channel from now on. Never rejects: what the front could not be told, `repair` tells it. */
  turn(channelMount: string, mount: string): Promise<void>
  /** Compares with what the front has, and tells it what differs. Never rejects. */
  repair(): Promise<void>
}

/** How many may hear a channel at once; the front counts them, whichever of its mounts they are on. It outlives this process. */
export interface ListenerLimits {
  /** From now on these are all there are, by audience. Never rejects: the next call tells again what the front could not be told. */
  keep(limits: ReadonlyMap<string, number>): Promise<void>
}

/** Listens to just this mount until disposed, coming back by itself, and tells how many bytes came each time, or that it hears nothing for now. */
export type OpenEar = (mount: string, onBytes: (bytes: number | 'lost') => void) => Disposable

/** Keeps mounts fed with silence, for as long as nobody else feeds them. */
export interface Feeder extends AsyncDisposable {
  /** Begins, goes on, or changes the bitrate. For another format, leave it first. */
  feed(mount: string, sound: Sound): void
  /** Stops feeding the mount. */
  leave(mount: string): void
  /** The mount may be free: try now. Does nothing where it is fed, or is not to be. */
  nudge(mount: string): void
  isConnected(mount: string): boolean
  /** Whether this is the password of a source of our own. */
  isOwnPassword(password: string): boolean
}
