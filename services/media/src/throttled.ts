/** Passes a value on at most once in `everyMs`, and only if it is another than the last; the `first` was passed on just now. `now`: in ms. */
export function throttled<T>(
  everyMs: number,
  now: () => number,
  first: NoInfer<T>,
  pass: (value: T) => void,
): (value: T) => void {
  let at = now()
  let last = first
  return (value) => {
    if (value === last || now() - at < everyMs) return
    at = now()
    last = value
    pass(value)
  }
}
