/** The head of an HTTP (or SHOUTcast) answer. Header names are in lower case; of a repeated header the last one counts. */
export interface ResponseHead {
  readonly status: number
  readonly reason: string
  readonly headers: ReadonlyMap<string, string>
}

const MAX_HEAD_BYTES = 16 * 1024

/**
 * Collects bytes until the head is complete, then gives it with what already came of the body; null until then.
 * Throws when the bytes are no answer, or the head passes 16 KiB.
 */
export function headReader(): (bytes: Buffer) => { head: ResponseHead; body: Buffer } | null {
  let pending: Buffer = Buffer.alloc(0)
  return (bytes) => {
    pending = Buffer.concat([pending, bytes])
    const end = pending.indexOf('\r\n\r\n')
    if (end < 0) {
      if (pending.length > MAX_HEAD_BYTES) throw new Error('The head of the answer has no end')
      return null
    }
    return { head: parseHead(pending.toString('latin1', 0, end)), body: pending.subarray(end + 4) }
  }
}

function parseHead(text: string): ResponseHead {
  const [statusLine, ...lines] = text.split('\r\n')
  const match = /^(?:HTTP\/1\.[01]|ICY) (\d{3})(?: (.*))?$/.exec(statusLine!)
  if (!match) throw new Error('The answer has no status line')
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]
  })
  return { status: Number(match[1]), reason: match[2] ?? '', headers: new Map(headers) }
}
