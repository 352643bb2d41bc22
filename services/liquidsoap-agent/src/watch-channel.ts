import type { Phase } from '@skipcast/contracts'
import type { RunningChannel } from './domain/engine.ts'
import { wasHeard, type Sight } from './domain/phase.ts'
import type { ProblemCode } from './domain/problem.ts'
import type { OwnStalls } from './own-stalls.ts'
import type { Clock, Ear, Heard } from './ports.ts'

/** A source younger than this is heard by whatever sound comes. */
const NEW_SOURCE_MS = 3000

/** A channel in an engine. `record` names this very addition of it; null when the engine does not answer. */
export interface Found {
  readonly channel: RunningChannel
  readonly record: string | null
}

/** What this process alone knows of a wanted channel: what it hears, and how long things have been as they are. It begins anew with the next process. */
export interface ChannelWatch extends AsyncDisposable {
  readonly isListening: boolean
  /** All that decides the phase, as of now. */
  look(found: Found | undefined, previous: Phase, trouble: ProblemCode | null): Sight
  /** The phase is another now. */
  turn(): void
  phaseMs(): number
}

export function watchChannel(ear: Ear, clock: Clock, stalls: OwnStalls): ChannelWatch {
  const openedAt = clock.steadyMs()
  let phaseAt = openedAt
  let connectedAt = -Infinity
  /** Undefined until seen for the first time: a source that was connected by then is not known to be new. */
  let connected: string | null | undefined
  let record: string | null = null

  const noteConnection = (record: string | null) => {
    if (record === connected) return
    connectedAt = connected === undefined ? -Infinity : clock.steadyMs()
    connected = record
    if (record) ear.nudge() // there is something to hear: no need to wait for the next try
  }

  return {
    get isListening() {
      return ear.heard.isConnected
    },
    look(found, previous, trouble) {
      const now = clock.steadyMs()
      // While we did not run, nothing of ours could hear: all waiting begins again.
      const waitedSince = (at: number) => now - Math.max(at, stalls.endedAt())
      const live = found?.channel.live
      noteConnection(live?.isConnected ? found!.record : null)
      const { lastByteAt } = ear.heard
      // What was heard was another addition of the channel: this one only starts.
      const startsAnew = record !== null && live !== null && live !== undefined && found!.record !== record && wasHeard(previous)
      record = found?.record ?? record
      return {
        previous: startsAnew ? 'starting' : previous,
        inPhaseMs: startsAnew ? 0 : waitedSince(phaseAt),
        engine: found ? (live ?? 'silent') : 'none',
        byteAgoMs: lastByteAt === null ? null : now - lastByteAt,
        soundAgoMs: soundAgoMs(ear.heard, now, connectedAt),
        connectedMs: waitedSince(connectedAt),
        listeningMs: waitedSince(openedAt),
        trouble,
      }
    },
    turn() {
      phaseAt = clock.steadyMs()
    },
    phaseMs: () => clock.steadyMs() - phaseAt,
    [Symbol.asyncDispose]: () => ear[Symbol.asyncDispose](),
  }
}

/** How long ago there was sound for certain. A greeting counts while the source itself is so new that nothing older can be in it. */
function soundAgoMs({ lastSoundAt, lastGreetingSoundAt }: Heard, now: number, connectedAt: number): number | null {
  const moments = [lastSoundAt, now - connectedAt < NEW_SOURCE_MS ? lastGreetingSoundAt : null].filter((at) => at !== null)
  return moments.length === 0 ? null : now - Math.max(...moments)
}
