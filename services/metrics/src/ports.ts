import type { MountStatistics } from './domain/statistics.ts'

/** One Icecast, as it sees itself. */
export interface IcecastStatistics {
  /** `host:port`: what it is called in messages and logs. */
  readonly name: string
  /**
   * All mounts that have a source. Rejects with ICECAST_UNAVAILABLE when it does not answer in time, or not with statistics, and when
   * `signal` comes.
   */
  read(signal?: AbortSignal): Promise<MountStatistics[]>
}
