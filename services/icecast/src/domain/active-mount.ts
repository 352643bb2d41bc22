import { otherMount } from './mounts.ts'

/** Who is to feed a mount. */
interface Replica {
  readonly mount: string
  readonly epoch: number
}

/** Who shall feed a channel, by its newest command. */
export interface Replicas {
  readonly primary: Replica
  readonly standby: Replica | null
  /** The highest epoch that a command of the channel ever named, of either replica, as far as this role knows: all of its epochs are one count. */
  readonly newestEpoch: number
}

/**
 * Where a channel's listeners are to be: where the primary is, else where any engine is (a standby, or who had the channel before), else where they
 * are. `primary` is null while no command is known, `engines` are the mounts that engines feed.
 */
export function activeMount(
  { now, primary }: { readonly now: string; readonly primary: string | null },
  engines: ReadonlySet<string>,
): string {
  return [primary ?? now, now, otherMount(now)].find((mount) => engines.has(mount)) ?? now
}

/**
 * The mount whose engine's time is over: the newest primary is on air on the other one, and this is neither its standby nor newer than all that was
 * commanded: a standby that was given up is not, although its epoch is higher than the primary's. Null: none.
 * `engines`: the epoch of each mount that an engine feeds. An epoch no newer than the primary's may be one that we set ourselves, to refuse the engine.
 */
export function outdatedMount({ primary, standby, newestEpoch }: Replicas, engines: ReadonlyMap<string, number>): string | null {
  const other = otherMount(primary.mount)
  const [here, there] = [engines.get(primary.mount), engines.get(other)]
  if (here === undefined || there === undefined || here < primary.epoch) return null
  return there <= newestEpoch && there !== standby?.epoch ? other : null
}
