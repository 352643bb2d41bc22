import { messageOf } from '@skipcast/runtime'
import { setTimeout as sleep } from 'node:timers/promises'
import { waitingMount } from './domain/mounts.ts'
import type { Feeder, IcecastAdmin } from './ports.ts'
import type { Telemetry } from './telemetry.ts'

const ASK_AGAIN_MS = 5
/** A source that was let in runs some 80 ms later. One that does not by now has left again. */
const MOST_WAITED_MS = 2000

/**
 * What follows on letting a source in: as soon as it runs, its listeners get the waiting mount as their fallback, and those who wait
 * there are fetched. Our own filler fetches nobody: one silence is as good as the other, and each move costs them some 200 ms.
 */
export interface Settling {
  /** Begins anew for this channel. Asked again meanwhile, it starts over: another source is coming. */
  begin(mount: string): void
  /** True from a `begin` until the source is set up, or did not come. */
  isUnderWay(mount: string): boolean
  /** Resolves when nothing is under way for this channel, but after `limitMs` in any case. */
  done(mount: string, limitMs: number): Promise<void>
}

export function settling(admin: IcecastAdmin, feeder: Pick<Feeder, 'isConnected'>, telemetry: Telemetry): Settling {
  const underWay = new Map<string, { readonly stop: AbortController; readonly finished: Promise<void> }>()

  async function settle(mount: string, signal: AbortSignal): Promise<void> {
    const waiting = waitingMount(mount)
    const deadline = performance.now() + MOST_WAITED_MS
    while (!(await admin.setFallback(mount, waiting))) {
      if (performance.now() > deadline) return
      await sleep(ASK_AGAIN_MS, undefined, { signal })
    }
    if (!feeder.isConnected(mount)) await admin.moveListeners(waiting, mount)
  }

  return {
    begin(mount) {
      underWay.get(mount)?.stop.abort()
      const stop = new AbortController()
      const finished = settle(mount, stop.signal)
        .catch((error: unknown) => {
          if (!stop.signal.aborted) telemetry.notSettled(mount, messageOf(error))
        })
        .finally(() => {
          if (underWay.get(mount)?.stop === stop) underWay.delete(mount)
        })
      underWay.set(mount, { stop, finished })
    },
    isUnderWay: (mount) => underWay.has(mount),
    async done(mount, limitMs) {
      const running = underWay.get(mount)
      if (running) await Promise.race([running.finished, sleep(limitMs)])
    },
  }
}
