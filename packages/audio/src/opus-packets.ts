/** Opus packets without decoding. Source of the layout: RFC 6716 §3 (packets) and §4.3 (silence). */
export interface OpusPacket {
  readonly data: Buffer
  readonly durationMs: number
  /** Each of its frames says that it is digital silence, or was left out by the encoder. */
  readonly silent: boolean
}

const SILK_MS = [10, 20, 40, 60]
const HYBRID_MS = [10, 20]
const CELT_MS = [2.5, 5, 10, 20]
const FIRST_CELT = 16
const FIRST_HYBRID = 12
const SILENT_PACKET_MS = 20

/** Null where these bytes can be no packet. */
export function readOpusPacket(data: Buffer): OpusPacket | null {
  if (data.length === 0) return null
  const config = data[0]! >> 3
  const count = [1, 2, 2, (data[1] ?? 0) & 63][data[0]! & 3]!
  if (count === 0) return null
  const frames = framesOf(data, count)
  return {
    data,
    durationMs: frameMs(config) * count,
    silent: frames !== null && frames.every((frame) => isSilentFrame(frame, config)),
  }
}

function frameMs(config: number): number {
  if (config < FIRST_HYBRID) return SILK_MS[config & 3]!
  return config < FIRST_CELT ? HYBRID_MS[config & 1]! : CELT_MS[config & 3]!
}

/** The frames of a packet whose frames have one size; null for any other. Only such are silent as a whole. */
function framesOf(data: Buffer, count: number): Buffer[] | null {
  const code = data[0]! & 3
  if (code === 2 || (code === 3 && data[1]! & 0x80)) return null
  let from = code === 3 ? 2 : 1
  let paddingBytes = 0
  if (code === 3 && data[1]! & 0x40) {
    let more: number
    do {
      more = data[from++] ?? 0
      paddingBytes += more === 255 ? 254 : more
    } while (more === 255)
  }
  const size = (data.length - from - paddingBytes) / count
  if (!Number.isInteger(size) || size < 0) return null
  return Array.from({ length: count }, (_, index) => data.subarray(from + index * size, from + (index + 1) * size))
}

/** A CELT frame begins with its flag for silence: 15 bits, all set. */
function isSilentFrame(frame: Buffer, config: number): boolean {
  return frame.length <= 1 || (config >= FIRST_CELT && frame[0] === 0xff && frame[1]! >= 0xfe)
}

/** A packet of 20 ms of digital silence in stereo, padded to this bitrate. */
export function silentOpusPacket(bitrateKbps: number): { readonly data: Buffer; readonly durationMs: number } {
  const padded = Math.max(0, Math.floor((bitrateKbps * SILENT_PACKET_MS) / 8) - 5)
  const lengths = [...Array.from({ length: Math.floor(padded / 255) }, () => 255), padded % 255]
  const paddingBytes = lengths.reduce((sum, length) => sum + (length === 255 ? 254 : length), 0)
  // CELT, full band, 20 ms, stereo; one frame and padding; the frame itself.
  const data = Buffer.from([0xff, 0x41, ...lengths, 0xff, 0xfe, ...Array.from({ length: paddingBytes }, () => 0)])
  return { data, durationMs: SILENT_PACKET_MS }
}
