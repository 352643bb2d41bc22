import { readOpusPacket, silentOpusPacket, type OpusPacket } from './opus-packets.ts'

/** Opus in Ogg. Source of the layout: RFC 3533 §6 (pages), RFC 7845 §5 (headers). */
export interface OggOpusReader {
  /** The packets that these bytes completed, and the titles of the streams that began: `artist - title`, as ICY has them. */
  push(bytes: Buffer): { packets: OpusPacket[]; titles: string[] }
  readonly skippedBytes: number
  /** How often pages went on after skipped bytes. */
  readonly resyncs: number
}

const HEAD_BYTES = 27
const MAGIC = Buffer.from('OggS')
const CONTINUED = 1
const BEGIN = 2
/** A packet that grows beyond this is dropped: one of Opus has 60 kB at most, but comments may hold pictures. */
const MOST_PACKET_BYTES = 1024 * 1024
const SAMPLES_PER_MS = 48
const PRE_SKIP = 312

/** Reads Opus streams one after the other (chained), each with its own headers. Checksums are not looked at: TCP has done so. */
export function oggOpusReader(): OggOpusReader {
  let pending: Buffer = Buffer.alloc(0)
  let skipped = 0
  let resyncs = 0
  let inStep: boolean | undefined
  /** Of the packet that goes on: on the next page, or, with no pieces, not to be had. */
  let open: Buffer[] | null = null

  const readPage = (page: Buffer, segments: Buffer, found: { packets: OpusPacket[]; titles: string[] }) => {
    const flags = page[5]!
    let pieces: Buffer[] = flags & CONTINUED && open ? open : []
    let isWhole = !(flags & CONTINUED) || open !== null
    open = null
    let at = HEAD_BYTES + segments.length
    for (const [index, size] of segments.entries()) {
      pieces.push(page.subarray(at, at + size))
      at += size
      if (size === 255 && index === segments.length - 1) open = isWhole && sizeOf(pieces) < MOST_PACKET_BYTES ? pieces : null
      if (size === 255) continue
      if (isWhole) readPacket(Buffer.concat(pieces), found)
      pieces = []
      isWhole = true
    }
  }

  return {
    push(bytes) {
      pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes])
      const found = { packets: [] as OpusPacket[], titles: [] as string[] }
      let at = 0
      while (at + HEAD_BYTES <= pending.length) {
        if (!pending.subarray(at, at + 4).equals(MAGIC)) {
          const next = pending.indexOf(MAGIC, at + 1)
          const to = next < 0 ? pending.length - 3 : next
          skipped += to - at
          inStep &&= false
          at = to
          continue
        }
        const segments = pending.subarray(at + HEAD_BYTES, at + HEAD_BYTES + pending[at + 26]!)
        const end = at + HEAD_BYTES + segments.length + segments.reduce((sum, size) => sum + size, 0)
        if (segments.length < pending[at + 26]! || end > pending.length) break
        readPage(pending.subarray(at, end), segments, found)
        if (inStep === false) resyncs += 1
        inStep = true
        at = end
      }
      pending = Buffer.from(pending.subarray(at))
      return found
    },
    get skippedBytes() {
      return skipped
    },
    get resyncs() {
      return resyncs
    },
  }
}

function sizeOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}

function readPacket(data: Buffer, found: { packets: OpusPacket[]; titles: string[] }): void {
  const name = data.subarray(0, 8).toString('latin1')
  if (name === 'OpusHead') return
  if (name === 'OpusTags') {
    const title = readTitle(data)
    if (title !== '') found.titles.push(title)
    return
  }
  const packet = readOpusPacket(data)
  if (packet) found.packets.push(packet)
}

/** Comments are `NAME=value`, each after its length; a list that was cut short is read as far as it goes. */
function readTitle(tags: Buffer): string {
  const values = new Map<string, string>()
  let at = 8
  const text = () => {
    const from = at + 4
    at = from + tags.readUInt32LE(at)
    return tags.toString('utf8', from, at)
  }
  try {
    text() // the encoder
    const count = tags.readUInt32LE(at)
    at += 4
    for (let i = 0; i < count; i++) {
      const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(text()) ?? []
      values.set(name.toLowerCase(), value)
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  return [values.get('artist'), values.get('title')].filter((value) => value !== undefined && value !== '').join(' - ')
}

/** Writes one Opus stream: its headers first, then a page for each packet. */
export function oggOpusWriter(): { readonly head: Buffer; page(packet: Pick<OpusPacket, 'data' | 'durationMs'>): Buffer } {
  let sequence = 0
  let samples = 0
  const write = (packet: Buffer, flags = 0) => {
    const segments = [...Array.from({ length: Math.floor(packet.length / 255) }, () => 255), packet.length % 255]
    const page = Buffer.concat([MAGIC, Buffer.alloc(HEAD_BYTES - 4), Buffer.from(segments), packet])
    page[5] = flags
    page.writeBigUInt64LE(BigInt(samples), 6)
    page.writeUInt32LE(1, 14)
    page.writeUInt32LE(sequence++, 18)
    page[26] = segments.length
    page.writeUInt32LE(checksum(page), 22)
    return page
  }
  const head = Buffer.from('OpusHead\u0001\u0002\0\0\0\0\0\0\0\0\0', 'latin1')
  head.writeUInt16LE(PRE_SKIP, 10)
  head.writeUInt32LE(48_000, 12)
  return {
    head: Buffer.concat([write(head, BEGIN), write(Buffer.from('OpusTags\0\0\0\0\0\0\0\0', 'latin1'))]),
    page({ data, durationMs }) {
      samples += durationMs * SAMPLES_PER_MS
      return write(data)
    },
  }
}

/** Digital silence as Ogg pages, padded to this bitrate. A connection begins with the head, and joins in wherever the pages are. */
export function silentOpusPages(format: { bitrateKbps: number }): {
  readonly head: Buffer
  next(): Buffer
  readonly frameMs: number
} {
  const writer = oggOpusWriter()
  const packet = silentOpusPacket(format.bitrateKbps)
  return { head: writer.head, next: () => writer.page(packet), frameMs: packet.durationMs }
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24
  for (let bit = 0; bit < 8; bit++) value = (value << 1) ^ (value & 0x80000000 ? 0x04c11db7 : 0)
  return value >>> 0
})

function checksum(page: Buffer): number {
  let value = 0
  for (const byte of page) value = ((value << 8) ^ TABLE[((value >>> 24) ^ byte) & 255]!) >>> 0
  return value
}
