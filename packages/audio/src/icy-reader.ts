/**
 * Parts an ICY stream (a request with `Icy-MetaData: 1`) into audio bytes and titles. After every `metaint` bytes of
 * audio stands one length byte (times 16) and that many bytes such as `StreamTitle='…';`, padded with NUL.
 * A `metaint` of 0 means: no metadata, everything is audio.
 */
export function icyReader(metaint: number): { push(bytes: Buffer): { audio: Buffer; titles: string[] } } {
  let audioLeft = metaint
  let metaLeft = -1 // -1: the length byte comes next
  let meta: Buffer[] = []
  return {
    push(bytes) {
      if (metaint === 0) return { audio: bytes, titles: [] }
      const audio: Buffer[] = []
      const titles: string[] = []
      let at = 0
      while (at < bytes.length) {
        if (audioLeft > 0) {
          const piece = bytes.subarray(at, at + audioLeft)
          audio.push(piece)
          audioLeft -= piece.length
          at += piece.length
          continue
        }
        if (metaLeft < 0) {
          metaLeft = bytes[at]! * 16
          at += 1
        } else {
          const piece = bytes.subarray(at, at + metaLeft)
          meta.push(piece)
          metaLeft -= piece.length
          at += piece.length
        }
        if (metaLeft > 0) continue
        const title = readTitle(Buffer.concat(meta))
        if (title !== null) titles.push(title)
        meta = []
        metaLeft = -1
        audioLeft = metaint
      }
      return { audio: Buffer.concat(audio), titles }
    },
  }
}

/** A title may itself hold quotes: it ends at the last `';` of its field. */
function readTitle(block: Buffer): string | null {
  const match = /StreamTitle='(.*?)';(?:StreamUrl=|\0|$)/s.exec(block.toString('utf8'))
  return match ? match[1]! : null
}
