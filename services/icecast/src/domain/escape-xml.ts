const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }

/** Text as XML may hold it, in an element or in a quoted attribute. Characters that XML 1.0 can't hold at all are refused with RangeError. */
export function escapeXml(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are exactly what must not pass
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(text) || !text.isWellFormed())
    throw new RangeError('XML can not hold this character')
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!)
}
