/**
 * Characters that no field of ours holds: controls (NUL, newline, …), line separators, halves of surrogate pairs, what turns the direction
 * of the text around it, what nobody sees. (Not above \uffff: this stands as a pattern in the OpenAPI document, for every language's readers.)
 */
const UNPRINTABLE = [
  String.raw`\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff\ufff0-\ufffb\ufffe\uffff`,
  String.raw`\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f`,
  String.raw`\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2065\u2800\u3164\ufeff\uffa0`,
].join('')
const unprintable = new RegExp(`[${UNPRINTABLE}]+`, 'gu')

/**
 * Invisible characters that are right only where they belong: joiners between two characters (in emoji, Persian, Hindi), tags in the flag of
 * a region (🏴 and its letters).
 */
const stray =
  /(?<![^\s\u200c\u200d])[\u200c\u200d]|[\u200c\u200d](?![^\s\u200c\u200d])|(?<!\u{1f3f4}[\u{e0020}-\u{e007e}]*)[\u{e0000}-\u{e007f}]|[\u{e0000}-\u{e007e}](?![\u{e0020}-\u{e007f}])/gu

/** Matches text of `min` to `max` characters (an emoji is one or more) that can be printed on one line. */
export function printable(min: number, max: number): RegExp {
  return new RegExp(`^[^${UNPRINTABLE}]{${min},${max}}$`, 'u')
}

/** Whether nothing in a printable text is invisible where a reader would have to see it. */
export function isVisible(text: string): boolean {
  return text.search(stray) === -1
}

/** Text from a stranger's file made fit to store and show: on one line, printable, visible, of at most `max` characters. */
export function tidy(text: string, max: number): string {
  const characters = Array.from(visible(text.replaceAll(unprintable, ' ')).trim())
  return visible(characters.slice(0, max).join('')).trim()
}

/** A character that is taken away can leave its neighbours astray. */
function visible(text: string): string {
  const next = text.replaceAll(stray, '')
  return next === text ? text : visible(next)
}
