/** Icecast hands on about 1,400 bytes at a time: so many pieces of the other replica, and none of this one, prove that this one has stopped. */
const MISSED_BYTES = 3 * 1400
const QUIET_MS = 300
/** Who plays for so long has come back. */
const BACK_AFTER_MS = 3000

/** What is heard of two replicas of one programme, by ears on both mounts. */
export interface Comparison {
  /** Some bytes came on this mount; `lost`: its ear hears nothing until further bytes. */
  heard(mount: string, bytes: number | 'lost', atMs: number): void
  /** The mounts whose sources send nothing although their connections stay, as far as the other mount shows. */
  stalled(atMs: number): ReadonlySet<string>
}

/** Compares by bytes, not by time alone: both send the same programme, so both are slow where it is silent or of a low bitrate. */
export function comparison(mounts: readonly [string, string]): Comparison {
  const ears = mounts.map((mount) => ({ mount, isListening: false, since: 0, lastAt: 0, missed: 0, isStalled: false }))
  return {
    heard(mount, bytes, atMs) {
      for (const ear of ears) {
        if (ear.mount !== mount) {
          if (bytes !== 'lost') ear.missed += bytes
          continue
        }
        const isNew = !ear.isListening || ear.missed >= MISSED_BYTES
        ear.isListening = bytes !== 'lost'
        ear.missed = 0
        ear.lastAt = atMs
        if (isNew) ear.since = atMs
      }
    },
    stalled(atMs) {
      for (const ear of ears) {
        const isQuiet = ear.missed >= MISSED_BYTES && atMs - ear.lastAt >= QUIET_MS
        if (ear.isListening && isQuiet) ear.isStalled = true
        else if (ear.isListening && ear.lastAt - ear.since >= BACK_AFTER_MS) ear.isStalled = false
      }
      return new Set(ears.flatMap(({ mount, isStalled }) => (isStalled ? [mount] : [])))
    },
  }
}
