import { randomUUID } from 'node:crypto'
import { AppError, startLoop, type Loop } from '@skipcast/runtime'

/** How a channel's stream is now, as it is sent. */
export interface Picture {
  readonly channelId: string
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
}

/** Who follows the streams: first all of them as they are, then those that change. */
export interface Subscription extends Disposable {
  /**
   * The events that are due, at once or as soon as there are some; empty when there were none for `waitMs`. null: it is over. What changed several times
   * meanwhile is told once, as it is now, so that a slow client costs no memory.
   */
  next(waitMs: number): Promise<readonly string[] | null>
}

export interface StreamFeed extends Disposable {
  /** Of one channel, or of all (null). Throws TOO_MANY_REQUESTS. */
  subscribe(channelId: string | null): Subscription
}

interface Client {
  readonly channelId: string | null
  /** Channels of which it has to be told. */
  readonly due: Set<string>
  /** Whether the whole picture was made due, and whether it was told. */
  stage: 'new' | 'picture' | 'following'
  wake: () => void
  isOver: boolean
}

const LOOK_EVERY_MS = 1000

/** Looks at all streams while somebody follows them: when an agent told something, and every second, as some of the truth is a matter of time. */
export function streamFeed({ read, onChange, maxClients }: FeedPorts): StreamFeed {
  const boot = randomUUID().slice(0, 8)
  const clients = new Set<Client>()
  const pictures = new Map<string, Picture>()
  let serial = 0
  let watching: { loop: Loop; stop: () => void } | null = null

  const look = async () => {
    const starters = [...clients].filter(({ stage }) => stage === 'new')
    const now = new Map((await read()).map((picture) => [picture.channelId, picture]))
    const changed = new Set(
      [...now.keys(), ...pictures.keys()].filter((id) => now.get(id)?.essence !== pictures.get(id)?.essence),
    )
    pictures.clear()
    for (const [id, picture] of now) pictures.set(id, picture)
    for (const client of starters) client.stage = 'picture'
    for (const client of clients) {
      const news = starters.includes(client) ? now.keys() : changed
      for (const id of news) if (client.channelId === null || client.channelId === id) client.due.add(id)
      if (client.due.size > 0 || client.stage === 'picture') client.wake()
    }
  }
  const watch = () => {
    if (watching) return watching.loop.nudge()
    const loop = startLoop(look, { everyMs: LOOK_EVERY_MS, onError: () => {} }) // the database is away: health says so
    watching = { loop, stop: onChange(() => loop.nudge()) }
  }
  const leave = (client: Client) => {
    client.isOver = true
    client.wake()
    clients.delete(client)
    if (clients.size > 0 || !watching) return
    watching.stop()
    void watching.loop[Symbol.asyncDispose]()
    watching = null
  }
  const line = (event: string, data: string) => `id: ${boot}-${++serial}\nevent: ${event}\ndata: ${data}\n\n`
  const tell = (client: Client): string[] => {
    if (client.stage === 'new') return []
    const events = [...client.due].map((id) => {
      const picture = pictures.get(id)
      return picture === undefined ? line('gone', JSON.stringify({ channel: { id } })) : line('stream', picture.data)
    })
    client.due.clear()
    if (client.stage === 'picture') events.push(line('complete', '{}'))
    client.stage = 'following'
    return events
  }

  return {
    subscribe(channelId) {
      if (clients.size >= maxClients)
        throw new AppError('TOO_MANY_REQUESTS', `${maxClients} clients follow already. Ask for the status instead, or try again.`)
      const client: Client = { channelId, due: new Set(), stage: 'new', wake: () => {}, isOver: false }
      clients.add(client)
      watch()
      return {
        async next(waitMs) {
          if (!client.isOver && client.due.size === 0 && client.stage !== 'picture') {
            const news = Promise.withResolvers<void>()
            client.wake = news.resolve
            const timer = setTimeout(news.resolve, waitMs)
            await news.promise
            clearTimeout(timer)
          }
          return client.isOver ? null : tell(client)
        },
        [Symbol.dispose]: () => leave(client),
      }
    },
    [Symbol.dispose]() {
      for (const client of clients) leave(client)
    },
  }
}
