import type { MountStatistics } from './domain/statistics.ts'

/** One Icecast, as it sees itself. */
export interface IcecastStatistics {
  /** All mounts that have a source. Rejects with ICECAST_UNAVAILABLE when it does not answer in time, or not with statistics. */
  read(): Promise<MountStatistics[]>
}
