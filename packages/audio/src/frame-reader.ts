export interface FrameReader<Frame> {
  /** The frames that these bytes completed. */
  push(bytes: Buffer): Frame[]
  readonly skippedBytes: number
  /** How often frames went on after skipped bytes: the places where a listener hears a cut. Joining in mid-frame is none. */
  readonly resyncs: number
}

/**
 * Cuts a byte stream into frames that follow each other without a gap. Bytes may come in pieces of any size; bytes that belong to no frame are
 * skipped and counted. A frame is believed only when the next one begins where it ends, so the last of a stream never comes out.
 */
export function frameReader<Header extends { readonly sizeBytes: number }, Frame>(layout: {
  readonly headerBytes: number
  /** The header at `offset`, or null where no valid one stands. */
  readonly readHeader: (bytes: Buffer, offset: number) => Header | null
  readonly toFrame: (data: Buffer, header: Header) => Frame
}): FrameReader<Frame> {
  const { headerBytes, readHeader, toFrame } = layout
  let pending: Buffer = Buffer.alloc(0)
  let skipped = 0
  let resyncs = 0
  let inStep: boolean | undefined // undefined: no frame yet
  return {
    push(bytes) {
      pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes])
      const frames: Frame[] = []
      let at = 0
      while (at + headerBytes <= pending.length) {
        const header = readHeader(pending, at)
        if (header) {
          const end = at + header.sizeBytes
          if (end + headerBytes > pending.length) break
          if (readHeader(pending, end)) {
            frames.push(toFrame(pending.subarray(at, end), header))
            at = end
            if (inStep === false) resyncs += 1
            inStep = true
            continue
          }
        }
        at += 1
        skipped += 1
        inStep &&= false
      }
      pending = Buffer.from(pending.subarray(at))
      return frames
    },
    get skippedBytes() {
      return skipped
    },
    get resyncs() {
      return resyncs
    },
  }
}
