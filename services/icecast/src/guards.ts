import { waitingMount } from './domain/mounts.ts'
import type { Guard } from './domain/plan.ts'
import type { Feeder } from './ports.ts'
import type { WantedChannels } from './wanted-channels.ts'

/**
 * Which channels have a waiting mount, because somebody would hear the loss of their source. Each costs Icecast a thread and this role its silence,
 * so a channel that nobody hears has none.
 */
export interface Guards {
  /** By channel's mount. A channel that is not in it was never looked at by this process. */
  read(): ReadonlyMap<string, Guard>
  /** Somebody hears the channel now. Does nothing for a channel that is not wanted. */
  raise(mount: string): void
  /**
   * Nobody was found. Does nothing where somebody came lately, as who found that out may not know it yet; nor before that has been so for a while, as
   * those who are on their way from one mount to another are counted on neither.
   */
  lower(mount: string): void
  forget(mount: string): void
}

export function guards(options: {
  feeder: Pick<Feeder, 'feed' | 'leave'>
  wanted: Pick<WantedChannels, 'channels'>
  /** After so long without a newcomer it is to be asked who is left. */
  keepMs: number
  /** So long nobody must be found before the waiting mount ends. */
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
  return {
    read: () => new Map([...heardAt].map(([mount, at]) => [mount, guardOf(at)])),
    raise(mount) {
      const channel = options.wanted.channels.get(mount)
      if (!channel) return
      heardAt.set(mount, now())
      emptySince.delete(mount)
      feeder.feed(waitingMount(mount), channel)
    },
    lower(mount) {
      if (guardOf(heardAt.get(mount) ?? null) === 'raised') return
      const since = emptySince.get(mount) ?? now()
      emptySince.set(mount, since)
      if (now() - since < emptyMs) return
      emptySince.delete(mount)
      heardAt.set(mount, null)
      feeder.leave(waitingMount(mount))
    },
    forget(mount) {
      heardAt.delete(mount)
      emptySince.delete(mount)
      feeder.leave(waitingMount(mount))
    },
  }
}
