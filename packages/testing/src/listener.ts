import { createConnection, type Socket } from 'node:net'
import { once } from 'node:events'
import { airFormatOf } from '@skipcast/audio'
import { AppError, waitFor } from '@skipcast/runtime'
import { gaps } from './gap-meter.ts'
import { receivedAudio, type Heard, type ReceivedFrame, type Title } from './received-audio.ts'
import { headReader, type ResponseHead } from './response-head.ts'

/**
 * A listener as real as a player, but for its ears: a TCP connection that notes when each piece arrived.
 * All its times are `performance.now()` of this process.
 */
export interface Listener extends AsyncDisposable {
  readonly url: string
  /** The newest answer, whatever its status. Only a body that came with 200 is listened to. */
  readonly answer: ResponseHead
  readonly isConnected: boolean
  /** How many connections were tried, and how many answered with 200 after the first of these. */
  readonly attempts: number
  readonly reconnects: number
  /** When the first byte of a body came; null before. */
  readonly firstByteAt: number | null
  /** When bytes came, of all connections. */
  readonly arrivals: readonly number[]
  /** When sound came: frames that are no digital silence. */
  readonly sounds: readonly number[]
  /** The ends of connections that had been answered with 200. Empty means: kept all the time. */
  readonly closures: readonly Closure[]
  readonly titles: readonly Title[]
  readonly heard: Heard
  /** The frames that arrived after `mark`, of the last minute of audio. */
  framesSince(mark: number): ReceivedFrame[]
  /** The longest time without a byte since `mark`, in ms: a gap that began before counts whole, one that lasts counts until now. */
  gapSince(mark: number): number
}

export interface Closure {
  readonly at: number
  readonly reason: string
}

export interface ListenerOptions {
  /** Ask for titles (`Icy-MetaData: 1`). Default true. */
  readonly icy?: boolean
  /** Connect again this long after a connection ended or was refused, for ever. Default: once is enough. */
  readonly reconnectAfterMs?: number
  /** Longest wait for the first answer. Default 10 s. */
  readonly timeoutMs?: number
}

/**
 * Opens an `http:` URL and listens until disposed. Resolves with the server's first answer, be it 200 or 404.
 * Rejects with HOST_UNREACHABLE (no connection, or no HTTP; not with `reconnectAfterMs`) or TIMEOUT.
 */
export async function openListener(url: string, options: ListenerOptions = {}): Promise<Listener> {
  const audio = receivedAudio()
  const closures: Closure[] = []
  const state = {
    answer: undefined as ResponseHead | undefined,
    failure: undefined as Error | undefined,
    isConnected: false,
    attempts: 0,
    answered: 0,
  }
  let connection: Connection | undefined
  let retry: NodeJS.Timeout | undefined
  let disposed = false

  const connect = () => {
    state.attempts += 1
    connection = openConnection(url, options.icy ?? true, {
      onHead(head) {
        state.answer = head
        if (head.status !== 200) return () => {}
        state.isConnected = true
        state.answered += 1
        return audio.connection(Number(head.headers.get('icy-metaint') ?? 0), airFormatOf(head.headers.get('content-type')))
      },
      onClose(error) {
        connection = undefined
        if (state.isConnected) closures.push({ at: performance.now(), reason: error?.message ?? 'the server ended it' })
        state.isConnected = false
        state.failure = error ?? new Error('The server ended the connection')
        if (!disposed && options.reconnectAfterMs !== undefined) retry = setTimeout(connect, options.reconnectAfterMs)
      },
    })
  }

  const listener: Listener = {
    url,
    get answer() {
      return state.answer!
    },
    get isConnected() {
      return state.isConnected
    },
    get attempts() {
      return state.attempts
    },
    get reconnects() {
      return Math.max(0, state.answered - 1)
    },
    get firstByteAt() {
      return audio.firstByteAt()
    },
    arrivals: audio.arrivals,
    sounds: audio.sounds,
    closures,
    titles: audio.titles,
    get heard() {
      return audio.heard()
    },
    framesSince: (mark) => audio.frames.filter((frame) => frame.at > mark),
    gapSince: (mark) => Math.max(...gaps(audio.arrivals, mark, performance.now())),
    async [Symbol.asyncDispose]() {
      disposed = true
      clearTimeout(retry)
      await connection?.close()
    },
  }

  await using opened = new AsyncDisposableStack()
  opened.use(listener)
  connect()
  const canFail = options.reconnectAfterMs === undefined
  await waitFor(`an answer from ${url}`, () => state.answer ?? (canFail && state.failure), {
    timeoutMs: options.timeoutMs ?? 10_000,
    everyMs: 2,
  })
  if (!state.answer) throw new AppError('HOST_UNREACHABLE', `${url} can't be listened to`, { cause: state.failure })
  opened.move()
  return listener
}

interface Connection {
  close(): Promise<void>
}

/** One request and its answer. HTTP/1.0, so that no server sends the body in chunks. */
function openConnection(
  url: string,
  icy: boolean,
  on: { onHead: (head: ResponseHead) => (bytes: Buffer, at: number) => void; onClose: (error: Error | undefined) => void },
): Connection {
  const { protocol, hostname, port, host, pathname, search } = new URL(url)
  if (protocol !== 'http:') throw new TypeError('A listener speaks plain HTTP')
  const readHead = headReader()
  let take: ((bytes: Buffer, at: number) => void) | undefined
  let error: Error | undefined

  const socket: Socket = createConnection({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80), noDelay: true })
  socket.once('connect', () => {
    socket.write(
      `GET ${pathname}${search} HTTP/1.0\r\nHost: ${host}\r\nUser-Agent: skipcast-test-listener\r\n${icy ? 'Icy-MetaData: 1\r\n' : ''}\r\n`,
    )
  })
  socket.on('data', (bytes: Buffer) => {
    const at = performance.now()
    if (take) return take(bytes, at)
    try {
      const read = readHead(bytes)
      if (!read) return
      take = on.onHead(read.head)
      if (read.body.length > 0) take(read.body, at)
    } catch (cause) {
      socket.destroy(cause as Error)
    }
  })
  socket.once('error', (cause) => (error = cause))
  socket.once('close', () => on.onClose(error))
  return {
    async close() {
      const closed = once(socket, 'close')
      socket.destroy()
      await closed
    },
  }
}
