import { frameReader, type FrameReader } from './frame-reader.ts'

/** AAC frames in ADTS, without decoding. Source of the layout: ISO/IEC 14496-3 §1.A.2 (ADTS) and §4.4.2 (raw data blocks). */
export interface AdtsFrame {
  readonly data: Buffer
  readonly sampleRate: number
  readonly durationMs: number
  /** Its first channels have no spectrum at all: what decodes from it is digital silence. */
  readonly silent: boolean
}

const SAMPLE_RATES = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000]
const SAMPLES = 1024
const HEADER_BYTES = 7
/** The kinds of elements in a raw data block. */
const SINGLE = 0
const PAIR = 1
const FILL = 6
/** What a pair of channels without a spectrum is encoded as, and how many bits of it that takes. */
const SILENT_PAIR = [0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c]
const SILENT_PAIR_BITS = 43
const MOST_FILL_BYTES = 269
const LEAST_LONG_FILL_BYTES = 14

interface Header {
  readonly sizeBytes: number
  readonly sampleRate: number
  readonly bodyAt: number
}

/** Cuts a byte stream into ADTS frames. */
export function adtsFrameReader(): FrameReader<AdtsFrame> {
  return frameReader<Header, AdtsFrame>({
    headerBytes: HEADER_BYTES,
    readHeader,
    toFrame: (data, { sampleRate, bodyAt }) => ({
      data,
      sampleRate,
      durationMs: (SAMPLES * 1000) / sampleRate,
      silent: isSilent(data.subarray(bodyAt)),
    }),
  })
}

function readHeader(bytes: Buffer, offset: number): Header | null {
  if (bytes[offset] !== 0xff || (bytes[offset + 1]! & 0xf6) !== 0xf0) return null
  const sampleRate = SAMPLE_RATES[(bytes[offset + 2]! >> 2) & 15]
  const sizeBytes = ((bytes[offset + 3]! & 3) << 11) | (bytes[offset + 4]! << 3) | (bytes[offset + 5]! >> 5)
  const bodyAt = bytes[offset + 1]! & 1 ? HEADER_BYTES : HEADER_BYTES + 2
  if (sampleRate === undefined || sizeBytes <= bodyAt || (bytes[offset + 6]! & 3) !== 0) return null
  return { sizeBytes, sampleRate, bodyAt }
}

/** Reads up to `max_sfb`, the number of bands that have a spectrum, of the first element that is no filling. */
function isSilent(body: Buffer): boolean {
  const take = bitsOf(body)
  let kind = take(3)
  while (kind === FILL) {
    const short = take(4)
    const bytes = short < 15 ? short : short + take(8) - 1
    for (let i = 0; i < bytes; i++) take(8)
    kind = take(3)
  }
  if (kind !== SINGLE && kind !== PAIR) return false
  take(4) // which one of its kind
  const hasOwnGain = kind === SINGLE || take(1) === 0
  if (hasOwnGain) take(8)
  take(1) // reserved
  const isShort = take(2) === 2
  take(1) // the window's shape
  return take(isShort ? 4 : 6) === 0
}

/** Zeros where nothing is left. */
function bitsOf(bytes: Buffer): (count: number) => number {
  let at = 0
  return (count) => {
    let value = 0
    for (const end = at + count; at < end; at++) value = (value << 1) | (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1)
    return value
  }
}

/**
 * Frames of digital silence, AAC-LC in stereo, filled up to the bitrate: what a server greets a newcomer with is counted in bytes, and would
 * be minutes of tiny frames. Throws RangeError for a sample rate that ADTS does not have.
 */
export function silentAdtsFrames(format: { bitrateKbps: number; sampleRate: number }): {
  next(): Buffer
  readonly frameMs: number
} {
  const rateIndex = SAMPLE_RATES.indexOf(format.sampleRate)
  if (rateIndex < 0) throw new RangeError('not a sample rate of ADTS')
  const frameMs = (SAMPLES * 1000) / format.sampleRate
  const body = silentBody(Math.floor((format.bitrateKbps * frameMs) / 8) - HEADER_BYTES)
  const size = HEADER_BYTES + body.length
  const head = [0xff, 0xf1, 0x40 | (rateIndex << 2), 0x80 | (size >> 11), (size >> 3) & 0xff, ((size & 7) << 5) | 0x1f, 0xfc]
  const frame = Buffer.concat([Buffer.from(head), body])
  return { frameMs, next: () => frame }
}

function silentBody(sizeBytes: number): Buffer {
  let bits = binary(SILENT_PAIR).slice(0, SILENT_PAIR_BITS)
  for (;;) {
    const room = Math.min(MOST_FILL_BYTES, Math.floor((sizeBytes * 8 - bits.length - 3 - 15) / 8))
    if (room < LEAST_LONG_FILL_BYTES) break
    bits += `1101111${binary([room - LEAST_LONG_FILL_BYTES])}${'0'.repeat(room * 8)}`
  }
  bits += '111' // the end
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0')
  return Buffer.from(padded.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)))
}

function binary(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('')
}
