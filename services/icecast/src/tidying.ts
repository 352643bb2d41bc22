import { messageOf } from '@skipcast/runtime'
import { outdatedMount } from './domain/active-mount.ts'
import { mountsOf, otherMount } from './domain/mounts.ts'
import { makeRoom } from './make-room.ts'
import type { EpochStore, IcecastAdmin, Signposts } from './ports.ts'
import type { Roster } from './roster.ts'
import type { Settling } from './settling.ts'
import type { Telemetry } from './telemetry.ts'
import type { WantedChannels } from './wanted-channels.ts'

/** Icecast needs some 0.1 s until it shows listeners where they were moved to, and who was on the way to the mount before needs 0.3 s to get there. */
const AFTER_MS = 400
const ROUNDS = 3
const MOST_ENDING_MS = 3000

export interface TidyingPorts {
  readonly admin: Pick<IcecastAdmin, 'listeners' | 'endListener' | 'kill' | 'moveListeners'>
  readonly roster: Roster
  readonly signposts: Pick<Signposts, 'of'>
  readonly settling: Pick<Settling, 'fetch' | 'begin'>
  readonly epochs: EpochStore
  readonly wanted: Pick<WantedChannels, 'channels'>
  readonly telemetry: Pick<Telemetry, 'outdated' | 'notSettled'>
}

/**
 * What has time until listeners are where they belong: engines whose time is over are ended and refused, and monitors that ask for one mount but were
 * handed on with the others are ended; they come back by themselves.
 */
export interface Tidying extends Disposable {
  /** In a moment, and a few times, as Icecast takes its time. */
  soon(channelMount: string): void
  /** At once, as far as it is due by a look at Icecast: so many listeners are on the mount that is not active. */
  look(channelMount: string, listenersBeside: number): Promise<void>
}

export function tidying(ports: TidyingPorts): Tidying {
  const { admin, roster, signposts, settling, epochs, wanted, telemetry } = ports
  const timers = new Map<string, NodeJS.Timeout>()
  /** By channel: how many were beside the active mount when all of them belonged there. */
  const inPlace = new Map<string, number>()
  let isClosed = false

  async function endOutdated(channelMount: string): Promise<void> {
    const channel = wanted.channels.get(channelMount)
    if (!channel) return
    const playing = new Map<string, number>()
    for (const mount of mountsOf(channelMount))
      if (roster.engines.has(mount)) playing.set(mount, (await epochs.highest(channel.channelId, mount)) ?? 0)
    const gone = outdatedMount(channel, playing)
    if (gone === null || roster.isExpected(gone)) return
    await epochs.raise(channel.channelId, gone, refusing(playing.get(gone)!, channel.primary.epoch))
    await admin.moveListeners(gone, otherMount(gone))
    await makeRoom(admin, gone, AbortSignal.timeout(MOST_ENDING_MS))
    roster.cleared(gone)
    telemetry.outdated(gone, channel.primary.epoch)
    settling.begin(channelMount)
  }

  /** Ends the monitors that asked for another mount than they hear. Returns how many there are who came to hear the channel itself. */
  async function putBack(mount: string): Promise<number> {
    const listeners = await admin.listeners(mount)
    const strays = listeners.filter(({ monitor }) => monitor?.asked && monitor.asked !== mount)
    for (const { id } of strays) await admin.endListener(mount, id)
    return listeners.filter(({ monitor }) => !monitor?.asked).length
  }

  async function round(channelMount: string): Promise<void> {
    for (const mount of mountsOf(channelMount)) if (roster.engines.has(mount)) await putBack(mount)
    await endOutdated(channelMount)
  }

  const later = (channelMount: string, rounds: number) => {
    if (isClosed) return
    clearTimeout(timers.get(channelMount))
    const run = () => {
      timers.delete(channelMount)
      void round(channelMount)
        .catch((error: unknown) => telemetry.notSettled(channelMount, messageOf(error)))
        .finally(() => {
          if (rounds > 1 && !timers.has(channelMount)) later(channelMount, rounds - 1)
        })
    }
    timers.set(channelMount, setTimeout(run, AFTER_MS))
  }

  return {
    soon: (channelMount) => later(channelMount, ROUNDS),
    async look(channelMount, listenersBeside) {
      if (timers.has(channelMount)) return
      await endOutdated(channelMount)
      if (inPlace.get(channelMount) === listenersBeside) return
      inPlace.delete(channelMount)
      const audience = listenersBeside > 0 ? await putBack(otherMount(signposts.of(channelMount))) : 0
      if (audience === 0) inPlace.set(channelMount, listenersBeside)
      else {
        settling.fetch(channelMount)
        settling.begin(channelMount)
      }
    },
    [Symbol.dispose]() {
      isClosed = true
      for (const timer of timers.values()) clearTimeout(timer)
    },
  }
}

/**
 * The epoch from which on a mount is open, once the engine is out whose time is over. A standby that was given up has a higher one than the primary; whoever gets
 * the mount next has one that is higher still.
 */
function refusing(epoch: number, primary: number): number {
  return epoch > primary ? epoch + 1 : primary
}
