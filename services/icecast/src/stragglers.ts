import { messageOf } from '@skipcast/runtime'
import { otherMount, readMount } from './domain/mounts.ts'
import type { IcecastAdmin, Signposts } from './ports.ts'
import type { Roster } from './roster.ts'
import type { Settling } from './settling.ts'
import type { Telemetry } from './telemetry.ts'

/** Icecast looks ten times for a mount that is not there, 0.14 s apart: so late may be found on it who was let in. */
const MAY_COME_FOR_MS = 1800
const LOOK_EVERY_MS = 150

export interface StragglersPorts {
  readonly admin: Pick<IcecastAdmin, 'listeners'>
  readonly roster: Pick<Roster, 'playing'>
  readonly signposts: Pick<Signposts, 'of'>
  readonly settling: Pick<Settling, 'fetch' | 'begin' | 'isUnderWay'>
  readonly telemetry: Pick<Telemetry, 'notSettled'>
  readonly now: () => number
}

/**
 * Listeners who are on the way to a mount when all others leave it: they were sent there by the map of that moment, and come after the others were fetched.
 * From the time that they were let in, or the others left, it is looked for them until they must have come.
 */
export interface Stragglers extends Disposable {
  /** A listener was let in to this mount, and will be found on it in a moment. */
  letIn(mount: string): void
  /** From now on the channel's listeners are on its other mount. */
  turned(channelMount: string): void
}

export function stragglers(ports: StragglersPorts): Stragglers {
  const { admin, roster, signposts, settling, telemetry, now } = ports
  /** By mount: until when somebody may come to it. */
  const comingUntil = new Map<string, number>()
  const timers = new Map<string, NodeJS.Timeout>()
  let isClosed = false

  const mayCome = (mount: string) => (comingUntil.get(mount) ?? -Infinity) > now()

  async function look(channelMount: string): Promise<void> {
    const active = signposts.of(channelMount)
    if (!roster.playing.has(active) || settling.isUnderWay(channelMount)) return
    const found = await admin.listeners(otherMount(active))
    if (!found.some(({ monitor }) => !monitor?.asked)) return
    settling.fetch(channelMount)
    if (!settling.isUnderWay(channelMount)) settling.begin(channelMount)
  }

  const watch = (channelMount: string) => {
    const beside = otherMount(signposts.of(channelMount))
    if (isClosed || timers.has(channelMount) || !mayCome(beside)) return
    const run = () => {
      void look(channelMount)
        .catch((error: unknown) => telemetry.notSettled(channelMount, messageOf(error)))
        .finally(() => {
          if (timers.delete(channelMount)) watch(channelMount)
        })
    }
    timers.set(channelMount, setTimeout(run, LOOK_EVERY_MS))
  }

  return {
    letIn(mount) {
      for (const [each, until] of comingUntil) {
        if (until > now()) break
        comingUntil.delete(each)
      }
      comingUntil.delete(mount)
      comingUntil.set(mount, now() + MAY_COME_FOR_MS)
      watch(readMount(mount)!.channelMount)
    },
    turned: watch,
    [Symbol.dispose]() {
      isClosed = true
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
  }
}
