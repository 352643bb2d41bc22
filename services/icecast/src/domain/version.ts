/** The oldest Icecast that is run: those before have an overflow in exactly the questions we have it ask (CVE-2018-18820). */
export const OLDEST_ICECAST: Version = [2, 4, 4]

/** The first that is not run yet: 2.5 asks the role about each admin command too, while a source that caused the command waits for its answer. */
export const FIRST_UNKNOWN_ICECAST: Version = [2, 5, 0]

export type Version = readonly [number, number, number]

/** The version in what `icecast2 -v` prints (`Icecast 2.4.4`), or null. */
export function readVersion(printed: string): Version | null {
  const match = /Icecast (\d{1,4})\.(\d{1,4})\.(\d{1,4})/.exec(printed)
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : null
}

export function isOlder(version: Version, than: Version): boolean {
  const index = version.findIndex((part, i) => part !== than[i])
  return index >= 0 && version[index]! < than[index]!
}
