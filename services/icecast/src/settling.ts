import { messageOf } from '@skipcast/runtime'
import { setTimeout as sleep } from 'node:timers/promises'
import { activeMount } from './domain/active-mount.ts'
import { mountsOf, otherMount } from './domain/mounts.ts'
import type { Guards } from './guards.ts'
import type { Feeder, IcecastAdmin, Signposts } from './ports.ts'
import type { Roster } from './roster.ts'
import type { Telemetry } from './telemetry.ts'
import type { WantedChannels } from './wanted-channels.ts'

const ASK_AGAIN_MS = 5
/** Listeners who are moved to a source that has just begun to send wait for its first bytes. By then it has sent some. */
const FLOWS_MS = 300

export interface SettlingPorts {
  readonly admin: Pick<IcecastAdmin, 'setFallback' | 'moveListeners' | 'mounts'>
  readonly roster: Roster
  readonly signposts: Pick<Signposts, 'of' | 'turn'>
  readonly guards: Pick<Guards, 'cover'>
  readonly feeder: Pick<Feeder, 'isConnected'>
  readonly wanted: Pick<WantedChannels, 'channels'>
  readonly telemetry: Pick<Telemetry, 'turned' | 'notSettled'>
  /** Told when newcomers are sent to the other mount. */
  readonly onTurned: (channelMount: string) => void
  /** Told after each change of who feeds a channel. */
  readonly onSettled: (channelMount: string) => void
}

/**
 * What follows when a channel's sources change: each mount gets the other one as its fallback as soon as it runs, newcomers are sent to the active mount, and
 * listeners are fetched from the other. Where there is only silence, nobody is fetched: one is as good as the other, and each move costs some 200 ms.
 * Disposed, it begins nothing more.
 */
export interface Settling extends Disposable {
  /** Begins anew for this channel. */
  begin(channelMount: string): void
  /** Listeners may be where they do not belong: the next time they are fetched, whatever has or has not changed. */
  fetch(channelMount: string): void
  /** True from a `begin` until all is settled, or did not come. */
  isUnderWay(channelMount: string): boolean
  /** What failed since it was asked last; each is to be begun anew. */
  takeFailed(): readonly string[]
  /** Resolves when the mount to which newcomers are sent has an engine, or nothing is under way for the channel; after `limitMs` in any case. */
  done(channelMount: string, limitMs: number): Promise<void>
}

export function settling(ports: SettlingPorts): Settling {
  const { admin, roster, signposts, guards, feeder, wanted, telemetry } = ports
  const underWay = new Map<string, { readonly stop: AbortController; readonly finished: Promise<void> }>()
  /** Channels with listeners that may be on the wrong mount. */
  const astray = new Set<string>()
  const failed = new Set<string>()
  let isClosed = false

  /** Returns once all who were let in run, or did not come; whether there were any. */
  async function untilRunning(channelMount: string, signal: AbortSignal): Promise<boolean> {
    for (let wereAny = false; ; wereAny = true) {
      const expected = mountsOf(channelMount).filter((mount) => roster.isExpected(mount))
      for (const mount of expected) if (await admin.setFallback(mount, otherMount(mount))) roster.runs(mount)
      signal.throwIfAborted()
      if (!expected.some((mount) => roster.isExpected(mount))) return wereAny || expected.length > 0
      await sleep(ASK_AGAIN_MS, undefined, { signal })
    }
  }

  async function direct(channelMount: string, signal: AbortSignal): Promise<void> {
    const now = signposts.of(channelMount)
    const primary = wanted.channels.get(channelMount)?.primary.mount ?? null
    const active = activeMount({ now, primary }, roster.playing)
    const other = otherMount(active)
    // Where the one before still plays, nobody is in a hurry: if it ends meanwhile, all this begins anew.
    if (active !== now && roster.playing.has(now)) await sleep(FLOWS_MS, undefined, { signal })
    if (active !== now) {
      astray.add(channelMount)
      telemetry.turned(channelMount, active)
      await signposts.turn(channelMount, active)
      ports.onTurned(channelMount)
      signal.throwIfAborted()
    }
    if (roster.engines.has(active) && (astray.has(channelMount) || !roster.engines.has(other))) {
      astray.delete(channelMount)
      await admin.moveListeners(other, active).catch((error: unknown) => {
        astray.add(channelMount)
        throw error
      })
    }
    signal.throwIfAborted()
    guards.cover(channelMount)
  }

  async function settle(channelMount: string, signal: AbortSignal): Promise<void> {
    if (!roster.isKnown) {
      const seen = roster.look()
      seen(await admin.mounts(), (mount) => feeder.isConnected(mount))
    }
    for (const mount of mountsOf(channelMount)) await admin.setFallback(mount, otherMount(mount))
    signal.throwIfAborted()
    await direct(channelMount, signal)
    if (await untilRunning(channelMount, signal)) await direct(channelMount, signal)
  }

  const self: Settling = {
    begin(channelMount) {
      if (isClosed) return
      underWay.get(channelMount)?.stop.abort()
      const stop = new AbortController()
      const finished = settle(channelMount, stop.signal)
        .then(() => ports.onSettled(channelMount))
        .catch((error: unknown) => {
          if (stop.signal.aborted) return
          failed.add(channelMount)
          telemetry.notSettled(channelMount, messageOf(error))
        })
        .finally(() => {
          if (underWay.get(channelMount)?.stop === stop) underWay.delete(channelMount)
        })
      underWay.set(channelMount, { stop, finished })
    },
    fetch: (channelMount) => void astray.add(channelMount),
    isUnderWay: (channelMount) => underWay.has(channelMount),
    takeFailed() {
      const taken = [...failed]
      failed.clear()
      return taken
    },
    async done(channelMount, limitMs) {
      const running = underWay.get(channelMount)
      if (running && !roster.engines.has(signposts.of(channelMount))) await Promise.race([running.finished, sleep(limitMs)])
    },
    [Symbol.dispose]() {
      isClosed = true
      for (const { stop } of underWay.values()) stop.abort()
    },
  }
  return self
}
