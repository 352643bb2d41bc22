import type { NowPlaying, Phase, StreamError, StreamEvent } from '@skipcast/contracts'
import type { Engine } from './domain/engine.ts'
import type { EngineEvent } from './domain/engine-event.ts'
import type { LastPlay } from './resume.ts'
import type { WantedStream } from './domain/wanted.ts'

/** The engines of one machine. All of it rejects with HOST_UNREACHABLE, HOST_KEY_REFUSED or HOST_LOGIN_REFUSED where a machine can't be reached. */
export interface EngineHost extends AsyncDisposable {
  /** What is there now, read from the machine: living engines and the remains of dead ones, but none that `start` still works on. Takes a second at most, over a network three. */
  list(): Promise<readonly Engine[]>
  /** Resolves once a new engine answers. Rejects with PROGRAM_MISSING or ENGINE_START_FAILED, leaving nothing behind. */
  start(): Promise<void>
  /** Resolves once the process and its files are gone. Stopping an absent engine does nothing. `kill` asks it nothing first. */
  stop(engineId: string, options?: { kill?: boolean }): Promise<void>
  /** The engine holds the channel when this resolves. Rejects with ENGINE_UNREACHABLE or ENGINE_REFUSED. */
  add(engineId: string, stream: WantedStream): Promise<void>
  /** The channel goes on with another plan; what plays now is not touched. Rejects as `add` does. */
  load(engineId: string, stream: WantedStream): Promise<void>
  /** The channel is gone when this resolves. Removing an absent one does nothing. Rejects with ENGINE_UNREACHABLE. */
  remove(engineId: string, channelId: string): Promise<void>
  /** The oldest events that were not acknowledged, a bounded number at once. */
  readEvents(engineId: string): Promise<readonly EngineEvent[]>
  /** Events up to this one are kept elsewhere and will not be read again. */
  acknowledge(engineId: string, seq: number): Promise<void>
  /** Calls back when an engine ended, began to answer, or wrote an event, and when the machine can be reached again, or no longer; returns how to stop that. */
  onChange(listener: () => void): () => void
}

/** The files that engines of this machine play, kept here so that they go on playing with everything else dead. */
export interface MediaCache {
  /** The hashes of all files that are there. Rejects with HOST_UNREACHABLE. */
  list(): Promise<ReadonlySet<string>>
  /** Fetches a file that is not there. Two calls for one file are one. Rejects with NO_SPACE, MEDIA_MISSING (also when its content is not what its name says) or HOST_UNREACHABLE. */
  fetch(sha256: string): Promise<void>
  /** What all files take. */
  sizeBytes(): Promise<number>
  /**
   * Removes files that nobody wants, the least recently used first, until the rest fits into `maxBytes` and `freeBytes` of the disk are free. What is wanted stays
   * in any case.
   */
  evict(wanted: ReadonlySet<string>, room: { maxBytes: number; freeBytes: number }): Promise<void>
}

/** What one of our own listeners hears on a mount. Moments are of the clock that was passed in, in ms; null: not yet. */
export interface Heard {
  /** Icecast counts it among the listeners, or is about to. True from the beginning: it is told before Icecast lets it in. */
  readonly isPresent: boolean
  readonly lastByteAt: number | null
  /** When the last frame came that was no digital silence: where silence has followed it in the same bytes, so much earlier. */
  readonly lastSoundAt: number | null
  /** The same of what Icecast greets a new connection with: seconds of audio that may be old. It proves something only of a source that is new itself. */
  readonly lastGreetingSoundAt: number | null
  /** How far someone who has listened as long, and plays what came from its first byte, is behind what is sent now. */
  readonly delayMs: number
  /** The last few titles that came, the newest last. */
  readonly titles: readonly string[]
}

export interface Ear extends AsyncDisposable {
  readonly heard: Heard
  /** Tries at once to connect, if it is not. */
  nudge(): void
}

/** One of a channel's two mounts. Who shows the token of the source that feeds it is let in there, wherever other listeners are sent. */
export interface EarPlace {
  readonly mount: string
  readonly token: string
}

/** Opens one of our own listeners on a mount; it connects, and connects again, by itself. `onNews`: it hears sound, or came or went. */
export type OpenEar = (place: EarPlace, onNews: () => void) => Ear

/** Events on their way to the bus, on this machine's disk: nothing is lost while the bus is away. */
export interface Journal extends AsyncDisposable {
  /** The events are on disk, in this order, when this resolves. */
  append(events: readonly StreamEvent[]): Promise<void>
}

/** What was told of each channel last, on this machine's disk: the next agent goes on from there. */
export interface Memory {
  readonly memos: Map<string, Memo>
  save(): Promise<void>
}

export interface Memo {
  readonly slug: string
  readonly isStandby: boolean
  readonly epoch: number
  readonly generation: number
  readonly phase: Phase
  /** When the phase began. */
  readonly since: number
  readonly error: StreamError | null
  /** The engine's record of the channel that was told to have started; null while none was. */
  readonly startedRecord: string | null
  /** The epoch of which it was told that the channel moved here; null: of none. */
  readonly movedEpoch: number | null
  /** What was told to be heard last. */
  readonly playing: NowPlaying | null
  /** What was heard last, also while nothing is. */
  readonly lastPlay: LastPlay | null
}

export interface Clock {
  /** Milliseconds since the Unix epoch; may jump. */
  wallMs(): number
  /** Milliseconds since some moment; never jumps. */
  steadyMs(): number
}
