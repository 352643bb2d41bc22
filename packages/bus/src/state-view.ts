import { isSuperseded, type MessageOf, type StateTopic } from '@skipcast/contracts'
import { messageOf, type Logger } from '@skipcast/runtime'
import { isDeepStrictEqual } from 'node:util'
import type { StateView } from './ports.ts'
import { decode } from './wire.ts'

/** What the bus tells a view, and what the view's owner sees. */
export interface StateFeed<T extends StateTopic> {
  readonly view: StateView<T>
  /** The topic is read from its beginning: until `caughtUp`, the view stays as it was, so that it never goes back in time. */
  startOver(): void
  /**
   * Takes the next record; a null value removes the key. What can't be read leaves the last good value, and the reason is
   * returned when the record is a new one: only then it belongs among the dead letters, as it will be read again and again.
   */
  apply(key: string, value: string | null): string | null
  /** All that stood on the topic has been read: the view becomes what was read. */
  caughtUp(): void
}

/** What is known of the order of a topic's messages beside that in which they came. */
const isOld: { readonly [T in StateTopic]?: (next: MessageOf<T>, kept: MessageOf<T>) => boolean } = {
  streamCommands: isSuperseded,
}

/** The last value of each key of one state topic (an older one that comes late changes nothing), and who wants to know of changes. `close` ends what feeds it. */
export function stateFeed<T extends StateTopic>(topic: T, logger: Logger, close: () => PromiseLike<void>): StateFeed<T> {
  const values = new Map<string, MessageOf<T>>()
  const listeners = new Set<(key: string | null) => void>()
  const caughtUp = Promise.withResolvers<void>()
  let isCaughtUp = false
  /** What a reading from the beginning has brought so far; null when the view follows live. */
  let reading: Map<string, MessageOf<T>> | null = new Map()

  const isLate = (next: MessageOf<T>, kept: MessageOf<T> | undefined) =>
    kept !== undefined && (isOld[topic]?.(next, kept) ?? false)
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
    startOver() {
      reading = new Map()
    },
    apply(key, value) {
      const target = reading ?? values
      if (value === null) {
        if (target.delete(key) && !reading) tell(key)
        return null
      }
      const decoded = decode(topic, value)
      if ('unreadable' in decoded) {
        logger.error({ topic, key, reason: decoded.unreadable }, 'a state record can not be read: the last good one stays')
        return reading ? null : decoded.unreadable
      }
      if (isLate(decoded.message, target.get(key))) return null
      target.set(key, decoded.message)
      if (!reading) tell(key)
      return null
    },
    caughtUp() {
      if (!reading) return
      const fresh = reading
      reading = null
      const gone = [...values.keys()].filter((key) => !fresh.has(key))
      const changed = [...fresh].filter(([key, message]) => {
        const before = values.get(key)
        return !isDeepStrictEqual(before, message) && !isLate(message, before)
      })
      for (const key of gone) values.delete(key)
      for (const [key, message] of changed) values.set(key, message)
      isCaughtUp = true
      caughtUp.resolve()
      for (const key of [...gone, ...changed.map(([key]) => key)]) tell(key)
      tell(null)
    },
  }
}
