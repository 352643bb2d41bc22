import type { StateTopic } from '@skipcast/contracts'
import type { StateView } from './ports.ts'

/** Views of state topics, of which all that look at one topic at a time share one reading. */
export interface SharedViews extends AsyncDisposable {
  watch<T extends StateTopic>(topic: T): StateView<T>
}

/**
 * Opens a reading with the first view of a topic and closes it with the last. What is read is decoded once, and the views of a topic have
 * the same messages: nobody may change one. A view that comes when all is read already is caught up from its beginning.
 */
export function sharedViews(open: <T extends StateTopic>(topic: T) => StateView<T>): SharedViews {
  const readings = new Map<StateTopic, Reading>()
  const closing = new Set<PromiseLike<void>>()

  const close = (topic: StateTopic, reading: Reading): PromiseLike<void> => {
    readings.delete(topic)
    const closed = reading.view[Symbol.asyncDispose]()
    closing.add(closed)
    return closed.then(() => void closing.delete(closed))
  }

  return {
    watch<T extends StateTopic>(topic: T) {
      const reading = readings.get(topic) ?? { view: open(topic), views: 0 }
      readings.set(topic, reading)
      reading.views += 1
      const leave = async () => {
        reading.views -= 1
        if (reading.views === 0 && readings.get(topic) === reading) await close(topic, reading)
      }
      // Under one topic there are only views of that topic.
      return viewOf(reading.view as unknown as StateView<T>, leave)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...[...readings].map(([topic, reading]) => close(topic, reading)), ...closing])
    },
  }
}

interface Reading {
  readonly view: StateView<StateTopic>
  views: number
}

function viewOf<T extends StateTopic>(shared: StateView<T>, leave: () => Promise<void>): StateView<T> {
  const caughtUp = Promise.withResolvers<void>()
  const stops = new Set<() => void>()
  let closed: Promise<void> | undefined
  void shared.caughtUp.then(() => {
    if (!closed) caughtUp.resolve()
  })

  return {
    values: shared.values,
    get isCaughtUp() {
      return shared.isCaughtUp
    },
    caughtUp: caughtUp.promise,
    onChange(listener) {
      const unlisten = shared.onChange(listener)
      // Whoever comes late shall not wait for a change to see what is there.
      const first = shared.isCaughtUp ? setImmediate(() => listener(null)) : undefined
      const stop = () => {
        clearImmediate(first)
        unlisten()
        stops.delete(stop)
      }
      stops.add(stop)
      return stop
    },
    [Symbol.asyncDispose]() {
      for (const stop of stops) stop()
      return (closed ??= leave())
    },
  }
}
