import type { ObservedMount, Sound } from './domain/plan.ts'

/** What the running Icecast can be asked and told. Every method rejects with ICECAST_UNAVAILABLE when it does not answer. */
export interface IcecastAdmin {
  /** All mounts that have a source, hidden ones too. */
  mounts(): Promise<Map<string, ObservedMount>>
  /** How many of a mount's listeners, and of those who wait in its stead, are our own monitors. */
  monitors(channelMount: string): Promise<number>
  /** Ends the mount's source. `ending`: it is on its way out, or on its way in; ask again. */
  kill(mount: string, signal?: AbortSignal): Promise<'killed' | 'ending' | 'absent'>
  /** Says where listeners go when the mount's present source ends; false when the mount is not running. */
  setFallback(mount: string, fallback: string): Promise<boolean>
  /** Takes all listeners of one mount to another; false when one of the two is not running. */
  moveListeners(from: string, to: string): Promise<boolean>
}

/** The highest epoch that was ever let in, per channel, on disk. One question at a time per channel. */
export interface EpochStore {
  /** Null: none yet. Rejects when the disk can't be read. */
  highest(channelId: string): Promise<number | null>
  /** Returns once it is on the disk. Rejects, and then nothing has changed, when it can't be written. */
  raise(channelId: string, epoch: number): Promise<void>
}

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
