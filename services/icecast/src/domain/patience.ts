/** With whom it ends: a program that lives and was asked on time, but has not answered for so long. */
export interface Patience {
  /** Takes down whether it answered just now (`atMs` may be of any clock that never jumps); true when it is over. */
  note(answered: boolean, atMs: number): boolean
}

/** An asker that comes later than `lateMs` after the last time did not run itself: that proves nothing, and all waiting begins again. */
export function patience(options: { limitMs: number; lateMs: number }): Patience {
  let askedAt = -Infinity
  let wellAt = -Infinity
  return {
    note(answered, atMs) {
      const isLate = atMs - askedAt > options.lateMs
      askedAt = atMs
      if (answered || isLate) wellAt = atMs
      return atMs - wellAt >= options.limitMs
    },
  }
}
