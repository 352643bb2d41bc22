import { topics, type EventTopic, type StateTopic, type Topic } from '@skipcast/contracts'
import { AppError, silentLogger, type Logger } from '@skipcast/runtime'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { memoryEvents, type DeadLetter } from './memory-events.ts'
import type { Bus } from './ports.ts'
import { defaultRetry, type RetryPolicy } from './retry.ts'
import { stateFeed } from './state-view.ts'
import { encode, type WireRecord } from './wire.ts'

/** The in-memory bus, with what only tests may do to it. */
export interface MemoryBus extends Bus {
  readonly kind: 'memory'
  /** While true, nothing is accepted and nothing is delivered: as without a broker. */
  outage(isDown: boolean): void
  /** Appends what nobody validated, as a foreign producer would. */
  append(topic: Topic, record: WireRecord): void
  deadLetters(topic: Topic): readonly DeadLetter[]
}

/**
 * The bus for one process alone: same promises, nothing kept after the process. Records cross it as JSON text, so nobody
 * shares an object with anybody, and they arrive in a later turn, so nobody can come to depend on a call going through.
 */
export function memoryBus(options: { logger?: Logger; retry?: RetryPolicy } = {}): MemoryBus {
  const logger = options.logger ?? silentLogger()
  let isDown = false
  const events = memoryEvents({ logger, retry: options.retry ?? defaultRetry, isDown: () => isDown })
  const states = new Map<Topic, Map<string, string>>()
  const watchers = new Set<Watcher>()

  const append = (topic: Topic, record: WireRecord) => {
    if (topics[topic].kind === 'events') return events.append(topic as EventTopic, record)
    const state = states.get(topic) ?? new Map<string, string>()
    states.set(topic, state)
    if (record.value === null) state.delete(record.key)
    else state.set(record.key, record.value)
    for (const watcher of watchers) if (watcher.topic === topic) watcher.push({ kind: 'record', record })
  }

  const requireUp = () => {
    if (isDown) throw new AppError('BUS_UNAVAILABLE', 'The in-memory bus plays an outage')
  }

  return {
    kind: 'memory',
    async publish(topic, records) {
      const encoded = records.map((record) => encode(topic, record))
      await nextTurn()
      requireUp()
      for (const record of encoded) append(topic, record)
    },
    consume: (subscription) => events.consume(subscription),
    watch<T extends StateTopic>(topic: T) {
      const feed = stateFeed(topic, logger, async () => void watchers.delete(watcher))
      const take = (news: News) => {
        if (news.kind === 'caught-up') return feed.caughtUp()
        const unreadable = feed.apply(news.record.key, news.record.value)
        if (unreadable !== null) events.bury(topic, news.record, unreadable)
      }
      const watcher: Watcher = watcherOf(topic, take, () => isDown || !watchers.has(watcher))
      watchers.add(watcher)
      for (const [key, value] of states.get(topic) ?? []) watcher.push({ kind: 'record', record: { key, value } })
      watcher.push({ kind: 'caught-up' })
      return feed.view
    },
    async ping() {
      requireUp()
    },
    outage(down) {
      isDown = down
      if (down) return
      events.wake()
      for (const watcher of watchers) watcher.wake()
    },
    append,
    deadLetters: (topic) => events.deadLetters(topic),
    async [Symbol.asyncDispose]() {
      watchers.clear()
      await events[Symbol.asyncDispose]()
    },
  }
}

type News = { readonly kind: 'record'; readonly record: WireRecord } | { readonly kind: 'caught-up' }

interface Watcher {
  readonly topic: StateTopic
  push(news: News): void
  wake(): void
}

/** Brings one watcher its news in a later turn, in order, unless it is held up. */
function watcherOf(topic: StateTopic, take: (news: News) => void, isHeld: () => boolean): Watcher {
  const waiting: News[] = []
  let scheduled = false
  const deliver = () => {
    scheduled = false
    while (!isHeld()) {
      const news = waiting.shift()
      if (!news) return
      take(news)
    }
  }
  const wake = () => {
    if (scheduled) return
    scheduled = true
    setImmediate(deliver)
  }
  return {
    topic,
    push(news) {
      waiting.push(news)
      wake()
    },
    wake,
  }
}
