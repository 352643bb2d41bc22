import { randomUUID } from 'node:crypto'
import type { Channel, Sight } from '@skipcast/db'
import { AppError, startLoop, type Loop } from '@skipcast/runtime'
import { isInSight } from './domain/sight.ts'

/** Who may be told of a channel. */
type Audience = Pick<Channel, 'ownerId' | 'privacy'>

/** How a channel's stream is now, as it is sent. */
export interface Picture {
  readonly channelId: string
  readonly audience: Audience
  readonly data: string
  /** The part of it that is worth an event when it changes. */
  readonly essence: string
}

export interface FeedPorts {
  /** How all streams are now. */
  readonly read: () => Promise<readonly Picture[]>
  /** Calls back when they may be different; returns how to stop that. */
  readonly onChange: (listener: () => void) => () => void
  readonly maxClients: number
  readonly maxClientsPerAddress: number
}

/** Who follows the streams: first all of them as they are, then those that change. */
export interface Subscription extends Disposable {
  /**
   * The next event, at once or as soon as there is one; its bytes are the same for all clients. 'nothing' when there was none for `waitMs`; null: it is over,
   * also for who fell too far behind. What changed several times meanwhile is told once, as it is now.
   */
  next(waitMs: number): Promise<Buffer | 'nothing' | null>
}

export interface StreamFeed extends Disposable {
  /** Of one channel, or of all (null) that somebody may know of, who is at this address. Throws TOO_MANY_REQUESTS. */
  subscribe(channelId: string | null, sight: Sight, address: string): Subscription
}

/** What is told of a channel; there is one for each, however many clients there are. */
interface News {
  readonly channelId: string
  readonly audience: Audience
  event: 'stream' | 'gone'
  essence: string
  data: string
  /** As it is sent; made when the first client takes it. */
  bytes: Buffer | null
  /** The look that found it different. */
  changedAt: number
}

/** What a look found different. Clients hold the one that they have come to, and what nobody holds is let go. */
interface Look {
  readonly serial: number
  readonly news: readonly News[]
  next: Look | null
}

interface Client {
  readonly channelId: string | null
  readonly sight: Sight
  readonly address: string
  /** null: nothing was looked at for it yet. */
  look: Look | null
  /** What it is being told: all there is, to begin with, then what a look found. */
  reading: { readonly news: readonly News[]; readonly isWhole: boolean; position: number }
  answer: ((due: Buffer | 'nothing' | null) => void) | null
  isOver: boolean
}

const LOOK_EVERY_MS = 1000
/** Who is so many changes behind is let go: it comes again, and is told how all is then. */
const MOST_LOOKS_BEHIND = 1000
const NOTHING = { news: [], isWhole: false, position: 0 }

/** Looks at all streams while somebody follows them: when an agent told something, and every second, as some of the truth is a matter of time. */
export function streamFeed({ read, onChange, maxClients, maxClientsPerAddress }: FeedPorts): StreamFeed {
  const boot = randomUUID().slice(0, 8)
  const clients = new Set<Client>()
  const clientsAt = new Map<string, number>()
  const latest = new Map<string, News>()
  let newest: Look = { serial: 0, news: [], next: null }
  let eventSerial = 0
  let watching: { loop: Loop; stop: () => void } | null = null

  const look = async () => {
    const starters = [...clients].filter((client) => client.look === null)
    const changed = compare(latest, await read(), newest.serial + 1)
    if (changed.length > 0) newest = newest.next = { serial: newest.serial + 1, news: changed, next: null }
    const all = starters.length > 0 ? [...latest.values()] : []
    for (const client of starters) {
      client.look = newest
      client.reading = { news: all, isWhole: true, position: 0 }
    }
    for (const client of clients) {
      const due = client.answer && tell(client)
      if (due) client.answer?.(due)
      if (client.look && newest.serial - client.look.serial > MOST_LOOKS_BEHIND) leave(client)
    }
  }
  const watch = () => {
    if (watching) return watching.loop.nudge()
    const loop = startLoop(look, { everyMs: LOOK_EVERY_MS, onError: () => {} }) // the database is away: health says so
    watching = { loop, stop: onChange(() => loop.nudge()) }
  }
  const leave = (client: Client) => {
    client.isOver = true
    client.look = null
    client.reading = NOTHING
    client.answer?.(null)
    if (!clients.delete(client)) return
    const others = (clientsAt.get(client.address) ?? 1) - 1
    if (others > 0) clientsAt.set(client.address, others)
    else clientsAt.delete(client.address)
    if (clients.size > 0 || !watching) return
    watching.stop()
    void watching.loop[Symbol.asyncDispose]()
    watching = null
  }
  const line = (event: string, data: string) => Buffer.from(`id: ${boot}-${++eventSerial}\nevent: ${event}\ndata: ${data}\n\n`)
  const tell = (client: Client): Buffer | null => {
    while (client.look) {
      const { reading } = client
      for (let news; (news = reading.news[reading.position]);) {
        reading.position += 1
        if (client.channelId !== null && client.channelId !== news.channelId) continue
        if (!isInSight(client.sight, news.audience)) continue
        // What is gone, or changed again since, stands in a later look.
        if (reading.isWhole ? news.event === 'gone' : news.changedAt !== client.look.serial) continue
        return (news.bytes ??= line(news.event, news.data))
      }
      if (reading.isWhole) {
        client.reading = NOTHING
        return line('complete', '{}')
      }
      if (!client.look.next) return null
      client.look = client.look.next
      client.reading = { news: client.look.news, isWhole: false, position: 0 }
    }
    return null
  }
  const refuseCrowds = (address: string) => {
    if (clients.size >= maxClients)
      throw new AppError('TOO_MANY_REQUESTS', `${maxClients} clients follow already. Ask for the status instead, or try again.`)
    if ((clientsAt.get(address) ?? 0) >= maxClientsPerAddress)
      throw new AppError(
        'TOO_MANY_REQUESTS',
        `${maxClientsPerAddress} clients at your address follow already. Close one of them, or ask for the status instead.`,
      )
  }

  return {
    subscribe(channelId, sight, address) {
      refuseCrowds(address)
      const client: Client = { channelId, sight, address, look: null, reading: NOTHING, answer: null, isOver: false }
      clients.add(client)
      clientsAt.set(address, (clientsAt.get(address) ?? 0) + 1)
      watch()
      return {
        async next(waitMs) {
          if (client.isOver) return null
          const due = tell(client)
          if (due) return due
          const answered = Promise.withResolvers<Buffer | 'nothing' | null>()
          const timer = setTimeout(() => client.answer?.('nothing'), waitMs)
          client.answer = (event) => {
            client.answer = null
            clearTimeout(timer)
            answered.resolve(event)
          }
          return answered.promise
        },
        [Symbol.dispose]: () => leave(client),
      }
    },
    [Symbol.dispose]() {
      for (const client of clients) leave(client)
    },
  }
}

/** Makes `latest` what was read, and tells what is different in it. */
function compare(latest: Map<string, News>, pictures: readonly Picture[], serial: number): News[] {
  const changed: News[] = []
  const there = new Set(pictures.map(keyOf))
  // First, as who sees both is told that a channel is gone from those that were public, and then of the private one.
  for (const [key, news] of latest) {
    if (there.has(key)) continue
    latest.delete(key)
    const data = JSON.stringify({ channel: { id: news.channelId } })
    Object.assign(news, { event: 'gone', data, bytes: null, changedAt: serial })
    changed.push(news)
  }
  for (const picture of pictures) {
    const { channelId, audience, data, essence } = picture
    const known = latest.get(keyOf(picture))
    if (!known) {
      const news: News = { channelId, audience, event: 'stream', essence, data, bytes: null, changedAt: serial }
      latest.set(keyOf(picture), news)
      changed.push(news)
      continue
    }
    if (known.data !== data) Object.assign(known, { data, bytes: null })
    if (known.essence === essence) continue
    Object.assign(known, { essence, changedAt: serial })
    changed.push(known)
  }
  return changed
}

/** To those who may not see it any more, a channel that became private is one that is gone; to the others it is another one. */
function keyOf({ channelId, audience: { ownerId, privacy } }: Picture): string {
  return privacy === 'public' ? channelId : `${channelId} ${ownerId}`
}
