import type { MessageOf, StateTopic } from '@skipcast/contracts'
import { messageOf, type Logger } from '@skipcast/runtime'
import type { StateView } from './ports.ts'
import { decode } from './wire.ts'

/** What the bus tells a view, and what the view's owner sees. */
export interface StateFeed<T extends StateTopic> {
  readonly view: StateView<T>
  /** Takes the next record of the topic; a null value removes the key. What can't be read leaves the last good value. */
  apply(key: string, value: string | null): void
  markCaughtUp(): void
}

/** The last value of each key of one state topic, and who wants to know of changes. `close` ends what feeds it. */
export function stateFeed<T extends StateTopic>(topic: T, logger: Logger, close: () => Promise<void>): StateFeed<T> {
  const values = new Map<string, MessageOf<T>>()
  const listeners = new Set<(key: string | null) => void>()
  const caughtUp = Promise.withResolvers<void>()
  let isCaughtUp = false

  const tell = (key: string | null) => {
    for (const listener of listeners) {
      try {
        listener(key)
      } catch (error) {
        logger.error({ topic, key, problem: messageOf(error) }, 'a listener to a state topic threw')
      }
    }
  }

  return {
    view: {
      values,
      get isCaughtUp() {
        return isCaughtUp
      },
      caughtUp: caughtUp.promise,
      onChange(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
      async [Symbol.asyncDispose]() {
        listeners.clear()
        await close()
      },
    },
    apply(key, value) {
      if (value === null) {
        if (values.delete(key)) tell(key)
        return
      }
      const decoded = decode(topic, value)
      if ('unreadable' in decoded) {
        logger.error({ topic, key, reason: decoded.unreadable }, 'a state record can not be read: the last good one stays')
        return
      }
      values.set(key, decoded.message)
      tell(key)
    },
    markCaughtUp() {
      if (isCaughtUp) return
      isCaughtUp = true
      caughtUp.resolve()
      tell(null)
    },
  }
}
