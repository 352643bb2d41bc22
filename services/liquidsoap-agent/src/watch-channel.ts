import type { Phase } from '@skipcast/contracts'
import type { RunningChannel } from './domain/engine.ts'
import { wasHeard, type Sight } from './domain/phase.ts'
import type { ProblemCode } from './domain/problem.ts'
import { heardPlays, type HeardPlays } from './hear-plays.ts'
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
  /** Our ear is among those whom Icecast counts. */
  readonly isPresent: boolean
  /** All that decides the phase, as of now. */
  look(found: Found | undefined, previous: Phase, trouble: ProblemCode | null): Sight
  /** The phase is another now. */
  turn(): void
  phaseMs(): number
  readonly plays: HeardPlays
  /** How long no byte has come although there had been some and we listened; 0 while that can't be told. */
  unheardMs(): number
}

export function watchChannel(ear: Ear, clock: Clock, stalls: OwnStalls): ChannelWatch {
  const openedAt = clock.steadyMs()
  let phaseAt = openedAt
  let connectedAt = -Infinity
  /** Undefined until seen for the first time: a source that was connected by then is not known to be new. */
  let connected: string | null | undefined
  let record: string | null = null
  let addedAt = -Infinity

  /** While we did not run, nothing of ours could hear: all waiting begins again. */
  const waitedSince = (at: number) => clock.steadyMs() - Math.max(at, stalls.endedAt())

  const noteConnection = (record: string | null) => {
    if (record === connected) return
    connectedAt = connected === undefined ? -Infinity : clock.steadyMs()
    connected = record
    if (record) ear.nudge() // there is something to hear: no need to wait for the next try
  }

  return {
    plays: heardPlays(ear, clock),
    get isPresent() {
      return ear.heard.isPresent
    },
    look(found, previous, trouble) {
      const now = clock.steadyMs()
      const live = found?.channel.live
      noteConnection(live?.isConnected ? found!.record : null)
      const { lastByteAt } = ear.heard
      // Another addition of the channel only starts, whatever was heard of the one before.
      const isAnother = record !== null && found !== undefined && found.record !== null && found.record !== record
      const startsAnew = isAnother && wasHeard(previous)
      if (isAnother) addedAt = now
      record = found?.record ?? record
      return {
        previous: startsAnew ? 'starting' : previous,
        inPhaseMs: startsAnew ? 0 : waitedSince(phaseAt),
        engine: found ? (live ?? 'silent') : 'none',
        byteAgoMs: lastByteAt === null ? null : now - lastByteAt,
        soundAgoMs: soundAgoMs(ear.heard, now, { addedAt, connectedAt }),
        connectedMs: waitedSince(connectedAt),
        listeningMs: waitedSince(openedAt),
        trouble,
      }
    },
    turn() {
      phaseAt = clock.steadyMs()
    },
    phaseMs: () => clock.steadyMs() - phaseAt,
    unheardMs: () => (ear.heard.lastByteAt === null ? 0 : waitedSince(ear.heard.lastByteAt)),
    [Symbol.asyncDispose]: () => ear[Symbol.asyncDispose](),
  }
}

/**
 * How long ago there was sound for certain, of this addition of the channel. A greeting counts while the source itself is so new
 * that nothing older can be in it.
 */
function soundAgoMs(
  { lastSoundAt, lastGreetingSoundAt }: Heard,
  now: number,
  { addedAt, connectedAt }: { addedAt: number; connectedAt: number },
): number | null {
  const sound = lastSoundAt !== null && lastSoundAt >= addedAt ? lastSoundAt : null
  const moments = [sound, now - connectedAt < NEW_SOURCE_MS ? lastGreetingSoundAt : null].filter((at) => at !== null)
  return moments.length === 0 ? null : now - Math.max(...moments)
}
