import type { EventTopic, MessageOf, StateTopic, Topic } from '@skipcast/contracts'

/** One message and the key that keeps its order. A null value removes a state topic's key. */
export interface Outgoing<T extends Topic> {
  readonly key: string
  readonly value: MessageOf<T> | null
}

/** The road between the services. Two makes of it: Kafka, and an in-memory twin for one process alone. */
export interface Bus extends AsyncDisposable {
  readonly kind: 'kafka' | 'memory'

  /**
   * Appends the records in the order given; order holds per key. Resolves once every in-sync replica has them.
   * Rejects with MESSAGE_INVALID (nothing was sent; a bug of the caller's) or BUS_UNAVAILABLE (try again: a record may
   * then stand twice, so effects are idempotent by `id` or generation).
   */
  publish<T extends Topic>(topic: T, records: readonly Outgoing<T>[]): Promise<void>

  /**
   * Hands each record of an events topic to `handle`, one at a time per partition, at least once. The offset is
   * committed after `handle` has resolved. What `handle` throws decides: a retryable AppError is tried again with backoff for as long as it takes;
   * anything else is tried `attempts` times, then goes to the dead-letter topic with the reason. A record that
   * can't be parsed goes there at once. Consumers of one `group` share the work; a new group begins with the oldest record.
   * Resolves at once; connects, and reconnects, in the background.
   */
  consume<T extends EventTopic>(options: {
    readonly topic: T
    readonly group: string
    readonly handle: (message: MessageOf<T>) => Promise<void>
  }): AsyncDisposable

  /**
   * Follows a state topic from its beginning: the last value of each key. Each watcher sees every record; those of one topic may share one
   * reading. Returns at once and connects in the background; until `caughtUp`, what is missing may merely not have been read yet.
   */
  watch<T extends StateTopic>(topic: T): StateView<T>

  /** Resolves when the bus answers now. Rejects with BUS_UNAVAILABLE. */
  ping(): Promise<void>
}

export interface StateView<T extends StateTopic> extends AsyncDisposable {
  /** The last value of each key, as of now. The same map object all the time; the messages may be those of other views: not to be changed. */
  readonly values: ReadonlyMap<string, MessageOf<T>>
  /** True once everything that stood on the topic when watching began has been read. */
  readonly isCaughtUp: boolean
  /** Resolves when `isCaughtUp` becomes true. Never rejects; stays pending when closed before. */
  readonly caughtUp: Promise<void>
  /** Calls back after each change (and once caught up); returns how to stop that. */
  onChange(listener: (key: string | null) => void): () => void
}
