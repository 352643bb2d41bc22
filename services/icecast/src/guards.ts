import { mountsOf, otherMount } from './domain/mounts.ts'
import type { Guard } from './domain/plan.ts'
import type { Feeder, Signposts } from './ports.ts'
import type { WantedChannels } from './wanted-channels.ts'

/**
 * Which channels are heard, and so have silence on the mount where their listeners are not: somebody would hear the loss of their source. Each costs
 * Icecast a thread and this role its silence, so a channel that nobody hears has none. All by the channel's own mount.
 */
export interface Guards {
  /** A channel that is not in it was never looked at by this process. */
  read(): ReadonlyMap<string, Guard>
  /** Somebody hears the channel now. Does nothing for a channel that is not wanted. */
  raise(channelMount: string): void
  /**
   * Nobody was found. Does nothing where somebody came lately, as who found that out may not know it yet; nor before that has been so for a while, as
   * those who are on their way from one mount to another are counted on neither.
   */
  lower(channelMount: string): void
  /** Feeds what is to be fed, wherever nobody else feeds it: the mount where listeners are sent, and the other one where they are missed. */
  cover(channelMount: string): void
  /** Feeds the channel no longer. */
  forget(channelMount: string): void
}

export function guards(options: {
  feeder: Pick<Feeder, 'feed' | 'leave'>
  wanted: Pick<WantedChannels, 'channels'>
  signposts: Pick<Signposts, 'of'>
  /** After so long without a newcomer it is to be asked who is left. */
  keepMs: number
  /** So long nobody must be found before the silence ends. */
  emptyMs: number
  now: () => number
}): Guards {
  const { feeder, keepMs, emptyMs, now } = options
  /** When somebody was known to hear the channel; null: nobody does. */
  const heardAt = new Map<string, number | null>()
  /** Since when nobody is found. */
  const emptySince = new Map<string, number>()

  const guardOf = (at: number | null): Guard => {
    if (at === null) return 'lowered'
    return now() - at < keepMs ? 'raised' : 'doubtful'
  }
  const cover = (channelMount: string) => {
    const channel = options.wanted.channels.get(channelMount)
    if (!channel) return
    const active = options.signposts.of(channelMount)
    const other = otherMount(active)
    feeder.feed(active, channel)
    if ((heardAt.get(channelMount) ?? null) === null) feeder.leave(other)
    else feeder.feed(other, channel)
  }
  return {
    read: () => new Map([...heardAt].map(([mount, at]) => [mount, guardOf(at)])),
    raise(mount) {
      if (!options.wanted.channels.has(mount)) return
      heardAt.set(mount, now())
      emptySince.delete(mount)
      cover(mount)
    },
    lower(mount) {
      if (guardOf(heardAt.get(mount) ?? null) === 'raised') return
      const since = emptySince.get(mount) ?? now()
      emptySince.set(mount, since)
      if (now() - since < emptyMs) return
      emptySince.delete(mount)
      heardAt.set(mount, null)
      cover(mount)
    },
    cover,
    forget(mount) {
      heardAt.delete(mount)
      emptySince.delete(mount)
      for (const each of mountsOf(mount)) feeder.leave(each)
    },
  }
}
