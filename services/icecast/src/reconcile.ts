import { MOST_LISTENERS } from '@skipcast/contracts'
import { messageOf } from '@skipcast/runtime'
import { audienceOf, isAudience } from './domain/audience.ts'
import { mountsOf, otherMount } from './domain/mounts.ts'
import { makeRoom } from './make-room.ts'
import { plan, type Sound, type Step } from './domain/plan.ts'
import type { Guards } from './guards.ts'
import type { Feeder, IcecastAdmin, ListenerLimits, Signposts } from './ports.ts'
import type { Roster } from './roster.ts'
import type { Screening } from './screening.ts'
import type { Settling } from './settling.ts'
import type { Telemetry } from './telemetry.ts'
import type { Tidying } from './tidying.ts'
import type { ReplicaWatch } from './watch-replicas.ts'
import type { WantedChannels } from './wanted-channels.ts'

/** A source that was ended is gone 0.3 s later. */
const MOST_ENDING_MS = 3000

export interface ReconcilePorts {
  readonly wanted: Pick<WantedChannels, 'channels' | 'isComplete'>
  readonly admin: IcecastAdmin
  readonly feeder: Feeder
  readonly roster: Roster
  readonly signposts: Signposts
  readonly limits: ListenerLimits
  readonly settling: Settling
  readonly tidying: Tidying
  readonly screening: Screening
  readonly watch: Pick<ReplicaWatch, 'look'>
  readonly guards: Guards
  readonly telemetry: Telemetry
  /** Told of each pass whether Icecast answered. */
  readonly reportIcecast: (problem: string | null) => void
}

/** Makes passes that bring what Icecast has into line with what is wanted. A pass that fails is repaired by the next. */
export function reconciler(ports: ReconcilePorts): () => Promise<void> {
  const { wanted, admin, feeder, roster, signposts, settling, guards } = ports
  const fed = new Map<string, Sound>()
  let strangers: ReadonlySet<string> = new Set()

  /** Lets all listeners of a channel go: first where they would flee to, and only then where they are, which must find nowhere to send them. */
  async function end(channelMount: string): Promise<void> {
    guards.forget(channelMount)
    fed.delete(channelMount)
    const active = signposts.of(channelMount)
    const limit = AbortSignal.timeout(MOST_ENDING_MS)
    for (const mount of [otherMount(active), active]) {
      await makeRoom(admin, mount, limit)
      roster.cleared(mount)
    }
  }

  async function recount(channelMount: string, listeners: number): Promise<void> {
    const found = await Promise.all(mountsOf(channelMount).map((mount) => admin.listeners(mount)))
    const monitors = found.flat().filter(({ monitor }) => monitor !== null).length
    if (listeners > monitors) guards.raise(channelMount)
    else guards.lower(channelMount)
  }

  async function act(step: Step): Promise<void> {
    switch (step.kind) {
      case 'feed':
        fed.set(step.channel.mount, step.channel)
        return guards.cover(step.channel.mount)
      case 'retire':
        await end(step.mount)
        ports.telemetry.retired(step.mount)
        return signposts.turn(step.mount, step.mount)
      case 'reformat':
        return end(step.mount)
      case 'nudge':
        return feeder.nudge(step.mount)
      case 'raise':
        return guards.raise(step.mount)
      case 'lower':
        return guards.lower(step.mount)
      case 'recount':
        return recount(step.mount, step.listeners)
      case 'settle':
        if (!settling.isUnderWay(step.mount)) settling.begin(step.mount)
        return
      case 'screen':
        return ports.screening.look(step.channel)
      case 'tidy':
        return ports.tidying.look(step.mount, step.listeners)
      default:
        return step satisfies never
    }
  }

  return async () => {
    await signposts.repair()
    const seen = roster.look()
    const observed = await admin.mounts().catch((error: unknown) => {
      ports.reportIcecast(messageOf(error))
      return null
    })
    if (observed) {
      ports.reportIcecast(null)
      seen(observed, (mount) => feeder.isConnected(mount))
    }
    const { channels, isComplete } = wanted
    await ports.limits.keep(limitsOf(channels))
    const activeOf = (channelMount: string) => signposts.of(channelMount)
    ports.telemetry.observed(observed, roster.engines, activeOf)
    const known = { wanted: channels, isComplete, fed, engines: roster.playing, activeOf, observed, strangers }
    const decided = plan({ ...known, guards: guards.read() })
    strangers = decided.strangers
    ports.watch.look()
    ports.screening.keep((mount) => channels.get(mount)?.isSigned === true)
    for (const step of decided.steps) await act(step)
    for (const mount of settling.takeFailed()) if (!settling.isUnderWay(mount)) settling.begin(mount)
  }
}

/** Who is invited is always counted apart: those who hear a private channel already take a place of the limit that it is given. */
function limitsOf(channels: WantedChannels['channels']): Map<string, number> {
  const limits = [...channels.values()].flatMap((channel) => {
    const most = channel.maxListeners ?? (channel.isSigned ? MOST_LISTENERS : null)
    return most === null ? [] : [[audienceOf(channel), most] as const]
  })
  return new Map(limits.filter(([audience]) => isAudience(audience)))
}
