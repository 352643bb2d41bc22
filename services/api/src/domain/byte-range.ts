/** What a request wants of a file. `unsatisfiable`: nothing of what it names is there. */
export type WantedBytes =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly first: number; readonly last: number }
  | { readonly kind: 'unsatisfiable' }

const ONE_RANGE = /^bytes=(\d{0,30})-(\d{0,30})$/i

/** Reads `Range` (RFC 9110 §14.2). What can not be read, and several ranges at once, count as none: then the answer is the whole file. */
export function wantedBytes(header: string | undefined, sizeBytes: number): WantedBytes {
  const [, from = '', to = ''] = ONE_RANGE.exec(header?.trim() ?? '') ?? []
  if (from === '' && to === '') return { kind: 'whole' }
  const end = sizeBytes - 1
  if (from === '') {
    const length = Math.min(Number(to), sizeBytes)
    return length === 0 ? { kind: 'unsatisfiable' } : { kind: 'part', first: sizeBytes - length, last: end }
  }
  const [first, last] = [Number(from), to === '' ? end : Math.min(Number(to), end)]
  if (to !== '' && Number(to) < first) return { kind: 'whole' }
  return first > end ? { kind: 'unsatisfiable' } : { kind: 'part', first, last }
}
