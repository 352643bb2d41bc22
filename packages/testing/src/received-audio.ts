import { audioReader, icyReader, type AirFormat, type AudioFrame, type AudioReader } from '@skipcast/audio'

/** A frame and when its last byte was here. */
export interface ReceivedFrame extends AudioFrame {
  readonly format: AirFormat
  readonly at: number
}

export interface Title {
  readonly title: string
  readonly at: number
}

/** Everything that was heard, over all connections. */
export interface Heard {
  readonly frames: number
  readonly silentFrames: number
  /** How long the frames play. */
  readonly playMs: number
  /** Cuts in the middle of a connection: frames that were lost to a switch of sources. */
  readonly resyncs: number
  readonly skippedBytes: number
}

/** How much audio is kept to be decoded later. */
const KEPT_MS = 60_000
/** At 128 kbit/s a listener of Icecast sees about 11 arrivals a second: a day of them. Beyond it the older half is forgotten. */
const MAX_ARRIVALS = 1_000_000

export interface ReceivedAudio {
  readonly arrivals: readonly number[]
  /** The arrivals that brought sound: at least one frame that is no digital silence. */
  readonly sounds: readonly number[]
  readonly titles: readonly Title[]
  readonly frames: readonly ReceivedFrame[]
  /** When the first byte came; null before. */
  firstByteAt(): number | null
  heard(): Heard
  /** Begins a connection whose ICY titles come every `metaint` bytes (0: never); returns where its bytes go. */
  connection(metaint: number, format?: AirFormat): (bytes: Buffer, at: number) => void
}

/** What a listener received: when bytes came, which titles, and the last minute of frames. */
export function receivedAudio(): ReceivedAudio {
  const arrivals: number[] = []
  const sounds: number[] = []
  const titles: Title[] = []
  const frames: ReceivedFrame[] = []
  const readers: AudioReader[] = []
  let firstByteAt: number | null = null
  let keptMs = 0
  let count = 0
  let silentFrames = 0
  let playMs = 0

  const keep = (frame: AudioFrame, format: AirFormat, at: number) => {
    count += 1
    playMs += frame.durationMs
    if (frame.silent) silentFrames += 1
    else if (sounds.at(-1) !== at) note(sounds, at)
    frames.push({ ...frame, format, at })
    keptMs += frame.durationMs
    while (keptMs > KEPT_MS) keptMs -= frames.shift()!.durationMs
  }

  return {
    arrivals,
    sounds,
    titles,
    frames,
    firstByteAt: () => firstByteAt,
    heard: () => ({
      frames: count,
      silentFrames,
      playMs,
      resyncs: readers.reduce((sum, reader) => sum + reader.resyncs, 0),
      skippedBytes: readers.reduce((sum, reader) => sum + reader.skippedBytes, 0),
    }),
    connection(metaint, format = 'mp3') {
      const icy = icyReader(metaint)
      const reader = audioReader(format)
      readers.push(reader)
      return (bytes, at) => {
        firstByteAt ??= at
        note(arrivals, at)
        const part = icy.push(bytes)
        const complete = reader.push(part.audio)
        for (const title of [...part.titles, ...complete.titles]) titles.push({ title, at })
        for (const frame of complete.frames) keep(frame, format, at)
      }
    },
  }
}

function note(moments: number[], at: number): void {
  if (moments.push(at) > MAX_ARRIVALS) moments.splice(0, MAX_ARRIVALS / 2)
}
