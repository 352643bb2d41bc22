import { isInvited } from './domain/guests.ts'
import { mountsOf } from './domain/mounts.ts'
import type { WantedChannel } from './domain/plan.ts'
import type { IcecastAdmin } from './ports.ts'
import type { Telemetry } from './telemetry.ts'

/** Who was let in, or is being handed from mount to mount, when a channel becomes private is found some looks later. */
const CLOSELY_FOR_MS = 15_000
/** Then what may change is that a link expires. */
const EVERY_MS = 60_000

/** Ends who hears a channel without a link, where one is needed: who was there when it became private, and whose link has expired. */
export interface Screening {
  /** Looks, if it is time to. Rejects with ICECAST_UNAVAILABLE. */
  look(channel: WantedChannel): Promise<void>
  /** Forgets all but these: the next look at another one comes at once. */
  keep(isSigned: (channelMount: string) => boolean): void
}

export function screening(ports: {
  readonly admin: Pick<IcecastAdmin, 'listeners' | 'endListener'>
  readonly telemetry: Pick<Telemetry, 'uninvited'>
  /** Ms that only grow. */
  readonly now: () => number
  /** Ms since the epoch. */
  readonly today: () => number
}): Screening {
  const { admin, telemetry, now, today } = ports
  const looks = new Map<string, { readonly generation: number; readonly since: number; lastAt: number }>()
  return {
    async look({ mount, channelId, generation }) {
      const at = now()
      const before = looks.get(mount)
      // Between two commands that make it private there may have been one that opened it, which no pass has seen.
      const known = before?.generation === generation ? before : { generation, since: at, lastAt: -Infinity }
      if (at - known.since > CLOSELY_FOR_MS && at - known.lastAt < EVERY_MS) return
      let ended = 0
      for (const each of mountsOf(mount)) {
        for (const listener of await admin.listeners(each)) {
          if (isInvited(listener, channelId, today())) continue
          await admin.endListener(each, listener.id)
          ended += 1
        }
      }
      known.lastAt = at
      looks.set(mount, known)
      if (ended > 0) telemetry.uninvited(mount, ended)
    },
    keep(isSigned) {
      for (const mount of looks.keys()) if (!isSigned(mount)) looks.delete(mount)
    },
  }
}
