import type { StateView } from '@skipcast/bus'
import type { StreamCommand } from '@skipcast/contracts'
import { answer, type AnswerPorts } from './answer.ts'
import type { Question } from './domain/question.ts'
import { guards as guardsOf } from './guards.ts'
import type { EpochStore, Feeder, IcecastAdmin, ListenerLimits, OpenEar, Signposts } from './ports.ts'
import { reconciler } from './reconcile.ts'
import { roster as rosterOf } from './roster.ts'
import { screening as screeningOf } from './screening.ts'
import { settling as settlingOf } from './settling.ts'
import { stragglers as stragglersOf } from './stragglers.ts'
import type { Telemetry } from './telemetry.ts'
import { tidying as tidyingOf } from './tidying.ts'
import { watchReplicas } from './watch-replicas.ts'
import { wantedChannels, type WantedChannels } from './wanted-channels.ts'

/** So long after the last newcomer, it is worth asking who is left to need the silence beside a channel. */
const GUARD_FOR_MS = 60_000
/** Two passes more: listeners are counted nowhere while a source that ends hands them on, some 0.2 s, and seconds on a machine that is short of time. */
const EMPTY_FOR_MS = 10_000

export interface MountKeeperPorts {
  readonly commands: StateView<'streamCommands'>
  readonly admin: IcecastAdmin
  readonly feeder: Feeder
  readonly signposts: Signposts
  readonly limits: ListenerLimits
  readonly openEar: OpenEar
  readonly epochs: EpochStore
  readonly telemetry: Telemetry
  readonly reportIcecast: (problem: string | null) => void
}

/** All that this role decides about mounts, whatever stands behind its ports. Disposed, it does nothing more of its own accord. */
export interface MountKeeper extends Disposable {
  readonly wanted: WantedChannels
  /** See `answer`. */
  answer(question: Question, signal: AbortSignal): Promise<boolean>
  /** See `reconciler`. */
  pass(): Promise<void>
}

export function mountKeeper(
  ports: MountKeeperPorts,
  options: {
    signingKey: string
    lastKnown: string | null
    defaultBitrateKbps: number
    guardForMs?: number | undefined
    emptyForMs?: number | undefined
    /** Ms since the epoch: until when links are good. */
    today?: (() => number) | undefined
  },
): MountKeeper {
  const { commands: view, admin, feeder, signposts, epochs, telemetry, reportIcecast } = ports
  const wanted = wantedChannels(view, options)
  const now = () => performance.now()
  const roster = rosterOf(now)
  const guards = guardsOf({
    feeder,
    wanted,
    signposts,
    keepMs: options.guardForMs ?? GUARD_FOR_MS,
    emptyMs: options.emptyForMs ?? EMPTY_FOR_MS,
    now,
  })
  const onSettled = (channelMount: string) => {
    tidying.soon(channelMount)
    watch.look()
  }
  const common = { admin, roster, signposts, wanted, telemetry }
  const onTurned = (channelMount: string) => stragglers.turned(channelMount)
  const settling = settlingOf({ ...common, guards, feeder, onTurned, onSettled })
  const stragglers = stragglersOf({ ...common, settling, now })
  const tidying = tidyingOf({ ...common, settling, epochs })
  const watch = watchReplicas({ ...common, openEar: ports.openEar, settling, now })
  const today = options.today ?? Date.now
  const screening = screeningOf({ ...common, now, today })
  const { signingKey } = options
  const waitedOut = new WeakSet<StreamCommand>()
  const asked: AnswerPorts = {
    ...common,
    signingKey,
    epochs,
    feeder,
    settling,
    stragglers,
    guards,
    commands: wanted,
    waitedOut,
    today,
  }
  return {
    wanted,
    answer: (question, signal) => answer(asked, question, signal),
    pass: reconciler({ ...common, limits: ports.limits, feeder, settling, tidying, screening, watch, guards, reportIcecast }),
    [Symbol.dispose]() {
      settling[Symbol.dispose]()
      stragglers[Symbol.dispose]()
      tidying[Symbol.dispose]()
      watch[Symbol.dispose]()
    },
  }
}
