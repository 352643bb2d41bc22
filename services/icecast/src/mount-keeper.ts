import type { StateView } from '@skipcast/bus'
import type { StreamCommand } from '@skipcast/contracts'
import { answer, type AnswerPorts } from './answer.ts'
import type { Question } from './domain/question.ts'
import { guards as guardsOf } from './guards.ts'
import type { EpochStore, Feeder, IcecastAdmin } from './ports.ts'
import { reconciler } from './reconcile.ts'
import { settling as settlingOf } from './settling.ts'
import type { Telemetry } from './telemetry.ts'
import { wantedChannels, type WantedChannels } from './wanted-channels.ts'

/** So long after the last newcomer, a channel's waiting mount is worth asking who is left to need it. */
const GUARD_FOR_MS = 60_000
/** Two passes more: listeners are counted nowhere while a source that ends hands them on, some 0.2 s, and seconds on a machine that is short of time. */
const EMPTY_FOR_MS = 10_000

export interface MountKeeperPorts {
  readonly commands: StateView<'streamCommands'>
  readonly admin: IcecastAdmin
  readonly feeder: Feeder
  readonly epochs: EpochStore
  readonly telemetry: Telemetry
  readonly reportIcecast: (problem: string | null) => void
}

/** All that this role decides about mounts, whatever stands behind its ports. */
export interface MountKeeper {
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
  },
): MountKeeper {
  const { commands: view, admin, feeder, epochs, telemetry, reportIcecast } = ports
  const wanted = wantedChannels(view, options)
  const settling = settlingOf(admin, feeder, telemetry)
  const guards = guardsOf({
    feeder,
    wanted,
    keepMs: options.guardForMs ?? GUARD_FOR_MS,
    emptyMs: options.emptyForMs ?? EMPTY_FOR_MS,
    now: () => performance.now(),
  })
  const waitedOut = new WeakSet<StreamCommand>()
  const { signingKey } = options
  const asked: AnswerPorts = { signingKey, admin, epochs, feeder, settling, guards, commands: wanted, waitedOut, telemetry }
  return {
    wanted,
    answer: (question, signal) => answer(asked, question, signal),
    pass: reconciler({ wanted, admin, feeder, settling, guards, telemetry, reportIcecast }),
  }
}
