import type { Phase } from '@skipcast/contracts'
import type { OwnStalls } from '@skipcast/runtime'
import type { Engine, LiveState, RunningChannel } from './domain/engine.ts'
import { wasHeard, type Sight } from './domain/phase.ts'
import type { ProblemCode } from './domain/problem.ts'
import { heardPlays, type HeardPlays } from './hear-plays.ts'
import type { Clock, Ear, Heard } from './ports.ts'

/** A source younger than this is heard by whatever sound comes. */
const NEW_SOURCE_MS = 3000

/** So long a channel may stand still: opening a file takes some time, and Icecast may be slow to take what is sent. */
const STUCK_AFTER_MS = 6000
/** Icecast hands on 1400 bytes at a time: of silence as AAC that is 2.5 s. */
const SPARSE_MS = 2500
/** A clock goes in steps: within so long it has come further. */
const STANDSTILL_MS = 500

/** A channel in an engine. `record` names this very addition of it; null when the engine does not answer. */
export interface Found {
  readonly channel: RunningChannel
  readonly record: string | null
}

/** Every channel in an engine; of two holders the one that answers. */
export function channelsOf({ engines }: { readonly engines: readonly Engine[] }): Map<string, Found> {
  const found = new Map<string, Found>()
  for (const { id, state, channels } of engines) {
    if (state === 'dead') continue
    for (const channel of channels) {
      if (found.get(channel.channelId)?.channel.live) continue
      found.set(channel.channelId, { channel, record: channel.live && `${id}.${channel.live.recordId}` })
    }
  }
  return found
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
  /** This addition of the channel, if its engine answers and has not gone on with it for a while, though nothing outside keeps it from that. */
  stuckRecord(): string | null
  /** How long no byte has come although some were due, there had been some and we listened; 0 while that can't be told. */
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
  /** When an engine began to hold it; null: none does. */
  let heldAt: number | null = null

  /** While we did not run, nothing of ours could hear: all waiting begins again. */
  const waitedSince = (at: number) => clock.steadyMs() - Math.max(at, stalls.endedAt())

  /** What the engine said last: next to no bytes are due. */
  let isSparse = false
  const bytesDueAt = () => (ear.heard.lastByteAt === null ? null : ear.heard.lastByteAt + (isSparse ? SPARSE_MS : 0))

  const stuck = stuckMeter()
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
      stuck.note(live ?? null, now)
      isSparse = live?.isBlank ?? isSparse
      const dueAt = bytesDueAt()
      // Another addition of the channel only starts, whatever was heard of the one before.
      const isAnother = record !== null && found !== undefined && found.record !== null && found.record !== record
      const startsAnew = isAnother && wasHeard(previous)
      if (isAnother) addedAt = now
      if (!found || isAnother) heldAt = null
      if (found) heldAt ??= now
      record = found?.record ?? record
      return {
        previous: startsAnew ? 'starting' : previous,
        heldMs: heldAt === null ? 0 : waitedSince(Math.max(phaseAt, heldAt)),
        engine: found ? (live ?? 'silent') : 'none',
        byteAgoMs: dueAt === null ? null : Math.max(0, now - dueAt),
        soundAgoMs: soundAgoMs(ear.heard, now, { addedAt, connectedAt }),
        connectedMs: waitedSince(connectedAt),
        listeningMs: waitedSince(openedAt),
        standsMs: live?.isConnected ? stuck.seenMs(stalls.endedAt()) : 0,
        trouble,
      }
    },
    turn() {
      phaseAt = clock.steadyMs()
    },
    stuckRecord: () => (stuck.seenMs(stalls.endedAt()) >= STUCK_AFTER_MS ? record : null),
    phaseMs: () => clock.steadyMs() - phaseAt,
    unheardMs() {
      const dueAt = bytesDueAt()
      return dueAt === null ? 0 : Math.max(0, waitedSince(dueAt))
    },
    [Symbol.asyncDispose]: () => ear[Symbol.asyncDispose](),
  }
}

/**
 * For how long (since `atLeast`) an engine has been seen not to go on with a channel, by what it answered again and again. Nothing to send, or a clock
 * that stands still although connected: a clock also runs on without a connection.
 */
function stuckMeter(): { note(live: LiveState | null, now: number): void; seenMs(atLeast: number): number } {
  let last: LiveState | null = null
  let lastAt = 0
  let stuckSince: number | null = null
  return {
    note(live, now) {
      if (live === last) return // the same answer, looked at again
      const stands = live?.isConnected && last?.recordId === live.recordId && last.isConnected && last.playedS === live.playedS
      const hasNothing = live && !live.isConnected && live.isPlayable && live.problem === ''
      if (stands && now - lastAt < STANDSTILL_MS) return // asked again too soon to tell
      stuckSince = stands ? (stuckSince ?? lastAt) : hasNothing ? (stuckSince ?? now) : null
      last = live
      lastAt = now
    },
    seenMs: (atLeast) => (stuckSince === null ? 0 : lastAt - Math.max(stuckSince, atLeast)),
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
