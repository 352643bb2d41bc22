import type { Bus, StateView } from '@skipcast/bus'
import { encode, sharedViews, stateFeed, type WireRecord } from '@skipcast/bus/parts'
import { topics, type EventTopic, type StateTopic, type Topic } from '@skipcast/contracts'
import { AppError, silentLogger } from '@skipcast/runtime'
import type { Network } from '../kernel/network.ts'
import type { Process, World } from '../kernel/world.ts'

/**
 * A broker that keeps what it has acknowledged, and its clients. What reaches it may stand there twice, or long after its sender gave it up and sent newer
 * things; what it answers may be lost; what it sends comes late, and in another order for other keys. The views, and how messages are read and written, are the bus's own.
 */
export interface Broker {
  readonly machine: string
  process: Process | null
  /** The last value of each key. */
  read(topic: StateTopic): ReadonlyMap<string, string>
  /** The bus as a process has it. */
  connect(client: Process): Bus
  /** Every session over this machine's connection, or all of them, ends within a moment. */
  endSessions(machine?: string): void
  /** How often a request's answer is lost, so that it is sent again. */
  lossRate: number
  onEvent(listener: (topic: EventTopic, record: WireRecord) => void): void
}

const BUS = 'bus'
/** As the real client: an attempt is given up after so long. */
const PUBLISH_MS = 5000
const REFUSED_FOR_MS = 5000
const TRY_AGAIN_MS = 300
const SUBSCRIBE_MS = 5000
const PING_MS = 5000
const MOST_IN_REQUEST = 200

interface Session {
  readonly topic: StateTopic
  readonly client: Process
  take(record: WireRecord): void
  end(): void
  /** Order holds per key. */
  readonly lastAt: Map<string, number>
}

export function broker(world: World, net: Network): Broker {
  const random = world.random.fork('broker')
  const logger = silentLogger()
  const states = new Map<StateTopic, Map<string, string>>()
  const sessions = new Set<Session>()
  const listeners = new Set<(topic: EventTopic, record: WireRecord) => void>()
  const stateOf = (topic: StateTopic) => {
    const state = states.get(topic) ?? new Map<string, string>()
    states.set(topic, state)
    return state
  }

  const append = (topic: Topic, record: WireRecord) => {
    if (topics[topic].kind === 'events') {
      for (const listener of listeners) listener(topic as EventTopic, record)
      return
    }
    const state = stateOf(topic as StateTopic)
    if (record.value === null) state.delete(record.key)
    else state.set(record.key, record.value)
    for (const session of sessions) if (session.topic === topic) send(session, record)
  }
  const send = (session: Session, record: WireRecord) => {
    const delayMs = random.between(0.5, 4) * net.slowness + (random.chance(0.02) ? random.between(20, 400) : 0)
    const at = Math.max(world.now + delayMs, session.lastAt.get(record.key) ?? 0)
    session.lastAt.set(record.key, at)
    world.after(at - world.now, () => {
      if (!sessions.has(session)) return
      // What can't come through ends the session: its client reads everything again.
      if (net.isCut(BUS, session.client.machine)) return session.end()
      world.within(session.client, () => sessions.has(session) && session.take(record))
    })
  }

  const unavailable = () => new AppError('BUS_UNAVAILABLE', 'The broker does not answer')
  const ask = <T>(client: Process, timeoutMs: number, work: () => T, how: { lingers?: boolean } = {}) =>
    net.call(client, () => self.process, { machine: BUS, timeoutMs, failure: unavailable, ...how }, work)

  const self: Broker = {
    machine: BUS,
    process: null,
    lossRate: 0,
    read: stateOf,
    onEvent: (listener) => void listeners.add(listener),
    endSessions(machine) {
      for (const session of sessions) if (machine === undefined || session.client.machine === machine) session.end()
    },
    connect(client) {
      const publish = publisher(client)
      const views = sharedViews((topic) => openView(client, topic))
      return {
        kind: 'kafka',
        async publish(topic, records) {
          await publish(
            topic,
            records.map((record) => encode(topic, record)),
          )
        },
        consume: () => ({ async [Symbol.asyncDispose]() {} }),
        watch: (topic) => views.watch(topic),
        ping: () => ask(client, PING_MS, () => {}),
        async [Symbol.asyncDispose]() {},
      }
    },
  }

  /** One request at a time; what waits goes together. */
  function publisher(client: Process) {
    interface Waiting {
      readonly topic: Topic
      readonly records: readonly WireRecord[]
      readonly done: () => void
      readonly failed: (error: unknown) => void
    }
    const waiting: Waiting[] = []
    let isBusy = false
    const request = async (batch: readonly Waiting[]) => {
      const isLost = random.chance(self.lossRate)
      const refusedUntil = world.now + REFUSED_FOR_MS
      for (;;) {
        try {
          const take = () => {
            for (const { topic, records } of batch) for (const record of records) append(topic, record)
          }
          await ask(client, PUBLISH_MS, take, { lingers: true })
          if (isLost) throw unavailable()
          return
        } catch (error) {
          if (isLost || self.process?.state === 'running' || world.now > refusedUntil) throw error
          await new Promise<void>((resolve) => void world.timer(client, TRY_AGAIN_MS, resolve))
        }
      }
    }
    const pump = async () => {
      isBusy = true
      while (waiting.length > 0) {
        const batch = waiting.splice(0, MOST_IN_REQUEST)
        try {
          await request(batch)
          for (const { done } of batch) done()
        } catch (error) {
          for (const { failed } of batch) failed(error)
        }
      }
      isBusy = false
    }
    return (topic: Topic, records: readonly WireRecord[]) =>
      new Promise<void>((done, failed) => {
        waiting.push({ topic, records, done, failed })
        if (!isBusy) void pump()
      })
  }

  /** Reads all there is, follows, and begins again when it was cut off. */
  function openView<T extends StateTopic>(client: Process, topic: T): StateView<T> {
    let isClosed = false
    let current: Session | null = null
    const feed = stateFeed(topic, logger, async () => {
      isClosed = true
      if (current) sessions.delete(current)
    })
    const follow = async () => {
      const early: WireRecord[] = []
      let isRead = false
      const take = (record: WireRecord) => void (isRead ? feed.apply(record.key, record.value) : early.push(record))
      const session: Session = {
        topic,
        client,
        take,
        lastAt: new Map(),
        end() {
          if (!sessions.delete(session)) return
          world.timer(client, random.between(300, 1500), begin)
        },
      }
      current = session
      const all = await ask(client, SUBSCRIBE_MS, () => {
        sessions.add(session)
        return [...stateOf(topic)]
      })
      if (!sessions.has(session) || isClosed) return
      feed.startOver()
      for (const [key, value] of all) feed.apply(key, value)
      for (const { key, value } of early) feed.apply(key, value)
      feed.caughtUp()
      isRead = true
    }
    const begin = () => {
      if (isClosed) return
      const before = current
      if (before) sessions.delete(before)
      follow().catch(() => void world.timer(client, random.between(300, 1500), begin))
    }
    client.onDeath.add(() => void (current && sessions.delete(current)))
    begin()
    return feed.view
  }
  return self
}
