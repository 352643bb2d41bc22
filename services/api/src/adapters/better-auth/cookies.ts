/** The library speaks to browsers in cookies; here they are read, and handed from one of its calls to the next. */

/** The token in a cookie that the library set; null when it set none, or emptied it. It stands there with a signature, which is of no use to us. */
export function signedValue(headers: Headers, name: string): string | null {
  const found = headers.getSetCookie().find((cookie) => cookie.startsWith(`${name}=`))
  const value = found && decodeURIComponent(found.slice(name.length + 1).split(';')[0]!)
  return value ? value.slice(0, value.lastIndexOf('.')) : null
}

/** What a browser would bring back. */
export function broughtBack(headers: Headers): string {
  return headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0]!)
    .filter((pair) => !pair.endsWith('='))
    .join('; ')
}
