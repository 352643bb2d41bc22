import type { Phase } from '@skipcast/contracts'
import { connectionProblem, type ProblemCode } from './problem.ts'

/** All that decides the phase of a stream that this server shall run. */
export interface Sight {
  readonly previous: Phase
  /** How long the previous phase has lasted, of which an engine has held the stream. */
  readonly heldMs: number
  /** What the engine that holds it says; `none`: no engine does; `silent`: the engine does not answer. */
  readonly engine: 'none' | 'silent' | { readonly isConnected: boolean; readonly problem: string; readonly isPlayable: boolean }
  /** How long our own listener has been without bytes that were due, and without sound; null where that has not been yet, or can't be told yet. */
  readonly byteAgoMs: number | null
  readonly soundAgoMs: number | null
  /** How long the engine has been connected to Icecast, and how long we have had a listener of our own and could hear it. */
  readonly connectedMs: number
  readonly listeningMs: number
  /** For how long the engine has been seen not to go on with it. */
  readonly standsMs: number
  /** What kept the stream from running, if anything did. */
  readonly trouble: ProblemCode | null
}

export interface Judgement {
  readonly phase: 'starting' | 'on_air' | 'silent' | 'failing'
  readonly problem: ProblemCode | null
}

/** Without a byte for so long, the mount does not flow. */
const FLOW_GAP_MS = 1500
/** Without a byte for so long, an engine that does not answer either is frozen. */
export const UNHEARD_MS = 900
/** A clock goes in steps of a few hundredths of a second, on a machine that is not starved. */
const STANDS_MS = 1500
/** So long a stream may take to be heard before that is a failure or a silence. */
const SETTLING_MS = 5000
/** A listener of our own that is younger than this need not have heard anything yet. */
const UNSURE_MS = 3000

/**
 * The truth about a wanted stream: on air only when the mount is connected **and** bytes flow **and** they are not blank.
 * Until a listener of our own can tell, what was true stays true: an agent that adopts a running stream, or that did not run
 * itself for a while, tells no failure.
 */
export function judge(sight: Sight, limits: { silenceAfterMs: number }): Judgement {
  const { engine, previous } = sight
  if (engine === 'none') return sight.trouble ? failing(sight.trouble) : starting(sight, null)
  const flows = sight.byteAgoMs !== null && sight.byteAgoMs <= FLOW_GAP_MS
  const sounds = sight.soundAgoMs !== null && sight.soundAgoMs <= limits.silenceAfterMs
  const unsure =
    sight.listeningMs < UNSURE_MS && wasHeard(previous)
      ? { phase: previous, problem: previous === 'silent' ? ('SILENCE' as const) : null }
      : null
  /** We did hear something, so what does not come any more is no matter of our having begun to listen a moment ago. */
  const hasFallenMute = sight.byteAgoMs !== null && sight.byteAgoMs < sight.listeningMs
  if (engine === 'silent') {
    if (flows && sight.byteAgoMs < UNHEARD_MS && sounds && previous === 'on_air') return onAir
    return (!hasFallenMute && unsure) || failing('ENGINE_SILENT')
  }
  if (!engine.isPlayable) return failing('NOTHING_PLAYABLE')
  if (!engine.isConnected) {
    if (engine.problem !== '') return failing(connectionProblem(engine.problem))
    // Nothing went wrong with Icecast, or the engine would say so: it ended the connection itself, for want of anything to send.
    return wasHeard(previous) ? failing('CHANNEL_STUCK') : starting(sight, 'ICECAST_UNAVAILABLE')
  }
  if (sight.standsMs >= STANDS_MS) return wasHeard(previous) ? failing('CHANNEL_STUCK') : starting(sight, 'CHANNEL_STUCK')
  if (flows && sounds) return onAir
  if (unsure && (flows || !hasFallenMute)) return unsure
  if (!flows) return wasHeard(previous) ? failing('NOT_HEARD') : starting(sight, 'NOT_HEARD')
  return wasHeard(previous) || sight.connectedMs > SETTLING_MS
    ? { phase: 'silent', problem: 'SILENCE' }
    : starting(sight, sight.trouble)
}

const onAir: Judgement = { phase: 'on_air', problem: null }

function failing(problem: ProblemCode): Judgement {
  return { phase: 'failing', problem }
}

/** Starting takes its time; what failed before stays failed until it is heard. */
function starting({ previous, heldMs, trouble }: Sight, afterwards: ProblemCode | null): Judgement {
  if (trouble) return failing(trouble)
  if (afterwards && (previous === 'failing' || heldMs > SETTLING_MS)) return failing(afterwards)
  return { phase: 'starting', problem: null }
}

/** A listener heard the stream, be it silence. */
export function wasHeard(phase: Phase): phase is 'on_air' | 'silent' {
  return phase === 'on_air' || phase === 'silent'
}
