/** Characters that no field of ours holds: controls (NUL, newline, …), line separators, halves of surrogate pairs. */
const UNPRINTABLE = String.raw`\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff`
const unprintable = new RegExp(`[${UNPRINTABLE}]+`, 'gu')

/** Matches text of `min` to `max` characters (an emoji is one) that can be printed on one line. */
export function printable(min: number, max: number): RegExp {
  return new RegExp(`^[^${UNPRINTABLE}]{${min},${max}}$`, 'u')
}

/** Text from a stranger's file made fit to store and show: on one line, without controls, of at most `max` characters. */
export function tidy(text: string, max: number): string {
  const characters = Array.from(text.replaceAll(unprintable, ' ').trim())
  return characters.slice(0, max).join('').trim()
}
