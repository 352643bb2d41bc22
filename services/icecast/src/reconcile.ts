import { messageOf } from '@skipcast/runtime'
import { waitingMount } from './domain/mounts.ts'
import { makeRoom } from './make-room.ts'
import { plan, type Sound, type Step } from './domain/plan.ts'
import type { Guards } from './guards.ts'
import type { Feeder, IcecastAdmin } from './ports.ts'
import type { Settling } from './settling.ts'
import type { Telemetry } from './telemetry.ts'
import type { WantedChannels } from './wanted-channels.ts'

/** A source that was ended is gone 0.3 s later. */
const MOST_REFORMATTING_MS = 3000

export interface ReconcilePorts {
  readonly wanted: Pick<WantedChannels, 'channels' | 'isComplete'>
  readonly admin: IcecastAdmin
  readonly feeder: Feeder
  readonly settling: Settling
  readonly guards: Guards
  readonly telemetry: Telemetry
  /** Told of each pass whether Icecast answered. */
  readonly reportIcecast: (problem: string | null) => void
}

/** Makes passes that bring what Icecast has into line with what is wanted. A pass that fails is repaired by the next. */
export function reconciler(ports: ReconcilePorts): () => Promise<void> {
  const { wanted, admin, feeder, settling, guards } = ports
  const fed = new Map<string, Sound>()
  let strangers: ReadonlySet<string> = new Set()

  async function act(step: Step): Promise<void> {
    switch (step.kind) {
      case 'feed': {
        const { mount } = step.channel
        feeder.feed(mount, step.channel)
        fed.set(mount, step.channel)
        return
      }
      case 'retire':
        // First where listeners would flee to, then the mount itself.
        guards.forget(step.mount)
        feeder.leave(step.mount)
        fed.delete(step.mount)
        ports.telemetry.retired(step.mount)
        for (const mount of [waitingMount(step.mount), step.mount]) await admin.kill(mount)
        return
      case 'reformat': {
        // First where listeners would flee to, and only then the mount: it must find nowhere to send them.
        guards.forget(step.mount)
        feeder.leave(step.mount)
        fed.delete(step.mount)
        const limit = AbortSignal.timeout(MOST_REFORMATTING_MS)
        for (const mount of [waitingMount(step.mount), step.mount]) await makeRoom(admin, mount, limit)
        return
      }
      case 'nudge':
        return feeder.nudge(step.mount)
      case 'raise':
        return guards.raise(step.mount)
      case 'lower':
        return guards.lower(step.mount)
      case 'recount':
        if (step.listeners > (await admin.monitors(step.mount))) guards.raise(step.mount)
        else guards.lower(step.mount)
        return
      case 'settle':
        if (!settling.isUnderWay(step.mount)) settling.begin(step.mount)
    }
  }

  return async () => {
    const observed = await admin.mounts().catch((error: unknown) => {
      ports.reportIcecast(messageOf(error))
      return null
    })
    if (observed) ports.reportIcecast(null)
    const { channels, isComplete } = wanted
    const fillers = new Set([...fed.keys()].filter((mount) => feeder.isConnected(mount)))
    ports.telemetry.observed(observed, fillers)
    const decided = plan({ wanted: channels, isComplete, fed, fillers, observed, strangers, guards: guards.read() })
    strangers = decided.strangers
    for (const step of decided.steps) await act(step)
  }
}
