/** What an agent must know of a channel in an engine. It is handed to the engine with the channel and read back from it. */
export interface ChannelRecord {
  readonly channelId: string
  readonly slug: string
  readonly mount: string
  readonly epoch: number
  readonly generation: number
  /**
   * Hash of all that can't change while the channel plays: mount, token, mode, bitrate. Its name, description and genre are none
   * of it: Icecast is told these when a source is added, and a new name is not worth an interruption.
   */
  readonly settings: string
  /** Hash of the plan: which files, in which order, with which titles. */
  readonly content: string
  /** It is the second replica: what it plays is the first one's to tell. */
  readonly isStandby?: true | undefined
}

/** What an engine says of a channel now. */
export interface LiveState {
  /** The number that the engine gave it; added again, it gets another. */
  readonly recordId: string
  readonly isConnected: boolean
  /** What went wrong with the connection to Icecast last; empty when it stands. In Liquidsoap's words. */
  readonly problem: string
  /** False once every track of the plan was tried in vain. */
  readonly isPlayable: boolean
  /** What it sends has become silence, in a format that makes next to no bytes of that (AAC); false in any other. */
  readonly isBlank: boolean
  /** How far the channel's clock has come, in seconds: one that stands still is stuck. */
  readonly playedS: number
  readonly track: EngineTrack | null
}

/** What an engine plays. */
export interface EngineTrack {
  /** The track play that this is; null until it was sent to Icecast. */
  readonly playId: string | null
  readonly mediaId: string
  readonly title: string
  readonly artist: string
  /** When it was sent, in ms since the Unix epoch: listeners hear it later. */
  readonly startedAt: number
  /** When its beginning was sent, or would have been: it may have been begun within. */
  readonly sentAt: number
}

export interface RunningChannel extends ChannelRecord {
  /** Null when the engine did not answer. */
  readonly live: LiveState | null
}

/**
 * One engine, as the machine shows it.
 * - `running`: it answered just now. All steps may be taken
 * - `silent`: the process lives and does not answer (yet). Nothing is asked of it; after a while it is stopped
 * - `dead`: only its files are left. It is to be cleared away
 */
export interface Engine {
  readonly id: string
  readonly state: 'running' | 'silent' | 'dead'
  /** Since the last answer, or since it was first seen; 0 when running. */
  readonly silentMs: number
  /** It runs another script than new engines do. */
  readonly isOutdated: boolean
  /** How many channels it was ever given: each leaves a little memory behind. */
  readonly channelsAdded: number
  /** What it has of the machine's memory. */
  readonly memoryBytes: number
  readonly channels: readonly RunningChannel[]
}
