import { adtsFrameReader, silentAdtsFrames } from './adts-frames.ts'
import { mp3FrameReader, silentFrames } from './mp3-frames.ts'
import { oggOpusReader, silentOpusPages } from './ogg-opus.ts'

/** What a channel is sent as: MP3, Opus in Ogg, AAC in ADTS. */
export type AirFormat = 'mp3' | 'opus' | 'aac'

export const CONTENT_TYPES: Readonly<Record<AirFormat, string>> = { mp3: 'audio/mpeg', opus: 'audio/ogg', aac: 'audio/aac' }

/** The format that a server says it sends. Whatever else it says is taken for MP3. */
export function airFormatOf(contentType: string | undefined): AirFormat {
  const [type] = (contentType ?? '').toLowerCase().split(';')
  if (type === 'audio/ogg' || type === 'application/ogg') return 'opus'
  return type === 'audio/aac' || type === 'audio/aacp' ? 'aac' : 'mp3'
}

/** A frame, or a packet, of any format. */
export interface AudioFrame {
  readonly data: Buffer
  readonly durationMs: number
  /** What decodes from it is digital silence. */
  readonly silent: boolean
  /** Where the format says it in each frame. */
  readonly bitrateKbps?: number
}

export interface AudioReader {
  /** The frames that these bytes completed, and the titles among them (Ogg alone has any). */
  push(bytes: Buffer): { frames: readonly AudioFrame[]; titles: readonly string[] }
  readonly skippedBytes: number
  readonly resyncs: number
}

export function audioReader(format: AirFormat): AudioReader {
  if (format === 'opus') {
    const reader = oggOpusReader()
    return around(reader, (bytes) => {
      const { packets, titles } = reader.push(bytes)
      return { frames: packets, titles }
    })
  }
  const reader = format === 'aac' ? adtsFrameReader() : mp3FrameReader()
  return around(reader, (bytes) => ({ frames: reader.push(bytes), titles: [] }))
}

function around(reader: { readonly skippedBytes: number; readonly resyncs: number }, push: AudioReader['push']): AudioReader {
  return {
    push,
    get skippedBytes() {
      return reader.skippedBytes
    },
    get resyncs() {
      return reader.resyncs
    },
  }
}

/** Digital silence without an end. */
export interface Silence {
  /** What a connection begins with, wherever it joins in. */
  readonly head: Buffer
  next(): Buffer
  readonly frameMs: number
}

const NOTHING = Buffer.alloc(0)

/** Opus has a sample rate of its own. Throws RangeError for what the format does not have. */
export function silence(wanted: { format: AirFormat; bitrateKbps: number; sampleRate: number }): Silence {
  if (wanted.format === 'opus') return silentOpusPages(wanted)
  return { head: NOTHING, ...(wanted.format === 'aac' ? silentAdtsFrames(wanted) : silentFrames(wanted)) }
}
