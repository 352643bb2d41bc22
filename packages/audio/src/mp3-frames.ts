import { frameReader, type FrameReader } from './frame-reader.ts'

/**
 * MP3 frames without decoding, enough to tell that audio flows, for how long it plays, and whether it is digital silence.
 * Source of the layout: ISO/IEC 11172-3 §2.4.1 (MPEG-1) and 13818-3 (MPEG-2 low sampling rates), layer III.
 */
export interface Mp3Frame {
  readonly data: Buffer
  readonly bitrateKbps: number
  readonly sampleRate: number
  readonly channels: 1 | 2
  readonly durationMs: number
  /** No granule carries any main data: what decodes from it is digital silence. */
  readonly silent: boolean
}

export type Mp3FrameReader = FrameReader<Mp3Frame>

const BITRATES_V1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
const BITRATES_V2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
const SAMPLE_RATES = [44_100, 48_000, 32_000]
/** Up to this many bits of main data in a granule of one channel still count as silence. */
const SILENT_BITS = 24

interface Header {
  readonly sizeBytes: number
  readonly bitrateKbps: number
  readonly sampleRate: number
  readonly channels: 1 | 2
  readonly samples: number
  readonly mpeg1: boolean
  readonly crc: boolean
}

/** The header at `offset`, or null where no valid layer III header stands. */
function readHeader(bytes: Buffer, offset: number): Header | null {
  if (bytes[offset] !== 0xff) return null
  const second = bytes[offset + 1]!
  if ((second & 0xe6) !== 0xe2) return null // sync, layer III
  const versionBits = (second >> 3) & 3
  if (versionBits === 1) return null
  const third = bytes[offset + 2]!
  const bitrateIndex = third >> 4
  const rateIndex = (third >> 2) & 3
  if (bitrateIndex === 0 || bitrateIndex === 15 || rateIndex === 3) return null
  const mpeg1 = versionBits === 3
  const bitrateKbps = (mpeg1 ? BITRATES_V1 : BITRATES_V2)[bitrateIndex]!
  const sampleRate = SAMPLE_RATES[rateIndex]! / (mpeg1 ? 1 : versionBits === 2 ? 2 : 4)
  const samples = mpeg1 ? 1152 : 576
  return {
    sizeBytes: Math.floor((samples * 125 * bitrateKbps) / sampleRate) + ((third >> 1) & 1),
    bitrateKbps,
    sampleRate,
    channels: bytes[offset + 3]! >> 6 === 3 ? 1 : 2,
    samples,
    mpeg1,
    crc: (second & 1) === 0,
  }
}

/** Cuts a byte stream into MP3 frames. */
export function mp3FrameReader(): Mp3FrameReader {
  return frameReader({ headerBytes: 4, readHeader, toFrame })
}

function toFrame(data: Buffer, header: Header): Mp3Frame {
  const { bitrateKbps, sampleRate, channels, samples } = header
  return { data, bitrateKbps, sampleRate, channels, durationMs: (samples * 1000) / sampleRate, silent: isSilent(data, header) }
}

/** Reads `part2_3_length` of every granule and channel from the side information. */
function isSilent(data: Buffer, { mpeg1, channels, crc }: Header): boolean {
  const sideInfoBit = (crc ? 6 : 4) * 8
  const granules = mpeg1 ? 2 : 1
  const firstGranuleBit = sideInfoBit + (mpeg1 ? (channels === 1 ? 18 : 20) : channels === 1 ? 9 : 10)
  const granuleBits = mpeg1 ? 59 : 63
  for (let i = 0; i < granules * channels; i++) {
    if (readBits(data, firstGranuleBit + i * granuleBits, 12) > SILENT_BITS) return false
  }
  return true
}

function readBits(data: Buffer, firstBit: number, length: number): number {
  let value = 0
  for (let bit = firstBit; bit < firstBit + length; bit++) {
    value = (value << 1) | ((data[bit >> 3]! >> (7 - (bit & 7))) & 1)
  }
  return value
}

/**
 * Frames of digital silence, MPEG-1 layer III, joint stereo, without a bit reservoir: any frame may follow any other.
 * Padding is spread as an encoder does it, so that `n` frames last exactly as long as `n` frames of music.
 * Throws RangeError for a bitrate or sample rate that MPEG-1 layer III does not have.
 */
export function silentFrames(format: { bitrateKbps: number; sampleRate: number }): { next(): Buffer; readonly frameMs: number } {
  const bitrateIndex = BITRATES_V1.indexOf(format.bitrateKbps)
  const rateIndex = SAMPLE_RATES.indexOf(format.sampleRate)
  if (bitrateIndex < 1 || rateIndex < 0) throw new RangeError('not a bitrate and sample rate of MPEG-1 layer III')
  const bytes = Math.floor((144_000 * format.bitrateKbps) / format.sampleRate)
  const rest = (144_000 * format.bitrateKbps) % format.sampleRate // whole numbers: exact however long it runs
  let owed = 0
  return {
    frameMs: (1152 * 1000) / format.sampleRate,
    next() {
      owed += rest
      const padding = owed >= format.sampleRate ? 1 : 0
      owed -= padding * format.sampleRate
      const frame = Buffer.alloc(bytes + padding)
      frame.writeUInt32BE((0xfffb0000 | (bitrateIndex << 12) | (rateIndex << 10) | (padding << 9) | 0x40) >>> 0)
      return frame
    },
  }
}
