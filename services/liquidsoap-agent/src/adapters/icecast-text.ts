/** Longest text in a header or a title, in bytes of UTF-8: Icecast refuses or cuts longer ones. */
const MAX_BYTES = 255
/** Control characters, Unicode's own line and paragraph ends, and what XML can't hold: Icecast drops a whole text for one of these. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\ufffe\uffff]+/gu

/**
 * Text of a person as it may stand in a header to Icecast. Liquidsoap 2.1.3 escapes nothing there, so a line end would
 * begin a header of its own: every such character becomes a space.
 */
export function headerText(text: string): string {
  return cut(text.toWellFormed().replaceAll(CONTROL, ' ').trim())
}

/** The same for titles and artists, where `';` would end the title that Icecast hands to listeners and begin another field. */
export function songText(text: string): string {
  return headerText(text.replaceAll("';", '’;'))
}

/** Cuts between characters, never within one. */
function cut(text: string): string {
  if (Buffer.byteLength(text) <= MAX_BYTES) return text
  let sizeBytes = 0
  let kept = ''
  for (const character of text) {
    sizeBytes += Buffer.byteLength(character)
    if (sizeBytes > MAX_BYTES) break
    kept += character
  }
  return kept
}
