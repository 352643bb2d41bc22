/** What is to happen at a moment of simulated time. */
export interface Entry {
  readonly at: number
  readonly serial: number
  /** Null once it was taken back. */
  task: (() => void) | null
}

/** What is to happen, the earliest first; of what is due at one moment, what was put in first. */
export interface Timeline {
  put(at: number, task: () => void): Entry
  /** Takes out the next that was not taken back. */
  take(): Entry | undefined
}

export function timeline(): Timeline {
  const heap: Entry[] = []
  let serial = 0
  const isBefore = (a: Entry, b: Entry) => a.at < b.at || (a.at === b.at && a.serial < b.serial)

  const rise = (from: number) => {
    const entry = heap[from]!
    let index = from
    while (index > 0) {
      const above = (index - 1) >> 1
      if (!isBefore(entry, heap[above]!)) break
      heap[index] = heap[above]!
      index = above
    }
    heap[index] = entry
  }
  const sink = () => {
    const entry = heap[0]!
    let index = 0
    for (;;) {
      let below = 2 * index + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below += 1
      if (!isBefore(heap[below]!, entry)) break
      heap[index] = heap[below]!
      index = below
    }
    heap[index] = entry
  }

  return {
    put(at, task) {
      const entry: Entry = { at, serial: serial++, task }
      heap.push(entry)
      rise(heap.length - 1)
      return entry
    },
    take() {
      for (;;) {
        const first = heap[0]
        if (!first) return undefined
        const last = heap.pop()!
        if (heap.length > 0) {
          heap[0] = last
          sink()
        }
        if (first.task) return first
      }
    },
  }
}
