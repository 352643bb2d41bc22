import { CONTENT_TYPES, type AirFormat } from '@skipcast/audio'
import { createConnection, type Socket } from 'node:net'

/** On loopback it takes no time at all, unless Icecast's backlog is full: then the SYN is lost, and comes again only after a second. */
const OPEN_TIMEOUT_MS = 250
/** Icecast asks the role first, which takes 3 s at most, after up to 150 ms of sleep. */
const ANSWER_TIMEOUT_MS = 6000
const MAX_HEAD_BYTES = 4096
/** About 1 s of audio. An Icecast that leaves so much unread is stuck, and shall not get a burst when it comes round. */
const MAX_BUFFERED_BYTES = 16 * 1024

/** A source that Icecast has let in. */
export interface SourceConnection {
  /** Sends whole frames; drops them when too many wait already. */
  write(frames: Buffer): void
  close(): void
  readonly ended: Promise<void>
}

export type Attempt =
  | { readonly kind: 'connected'; readonly connection: SourceConnection }
  /** Somebody else feeds the mount. */
  | { readonly kind: 'busy' }
  /** Refused for another reason, or Icecast is not there. */
  | { readonly kind: 'failed'; readonly reason: string }

export interface SourceRequest {
  readonly host: string
  readonly port: number
  readonly mount: string
  readonly password: string
  readonly format: AirFormat
  readonly bitrateKbps: number
  /** What the format wants first on each connection. */
  readonly head: Buffer
}

/**
 * Tries once to become the source of a mount. `opened` resolves when Icecast has taken the TCP connection (or never will),
 * `outcome` when it has decided. Neither rejects.
 */
export function connectSource(request: SourceRequest, signal: AbortSignal): { opened: Promise<void>; outcome: Promise<Attempt> } {
  const opened = Promise.withResolvers<void>()
  const outcome = Promise.withResolvers<Attempt>()
  const socket = createConnection({ host: request.host, port: request.port, noDelay: true, signal })
  const ended = new Promise<void>((end) => socket.once('close', () => end()))
  const fail = (reason: string) => {
    outcome.resolve({ kind: 'failed', reason })
    socket.destroy()
  }
  socket.setTimeout(OPEN_TIMEOUT_MS, () => fail('no answer'))
  socket.once('connect', () => {
    socket.setTimeout(ANSWER_TIMEOUT_MS)
    opened.resolve()
    socket.write(requestHead(request))
  })
  socket.once('error', (error) => fail(error.message))
  socket.once('close', () => {
    opened.resolve()
    fail('closed without an answer')
  })

  let head = ''
  socket.on('data', function read(bytes: Buffer) {
    head += bytes.toString('latin1')
    if (!head.includes('\r\n\r\n') && head.length < MAX_HEAD_BYTES) return
    socket.off('data', read).resume() // whatever Icecast says later does not matter
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]
    if (status === '200') {
      socket.setTimeout(0)
      if (request.head.length > 0) socket.write(request.head)
      outcome.resolve({ kind: 'connected', connection: connectionOf(socket, ended) })
    } else if (status === '409' || (status === '403' && head.includes('Mountpoint in use'))) {
      outcome.resolve({ kind: 'busy' })
      socket.destroy()
    } else fail(`status ${status ?? 'unreadable'}`)
  })
  return { opened: opened.promise, outcome: outcome.promise }
}

function connectionOf(socket: Socket, ended: Promise<void>): SourceConnection {
  return {
    write(frames) {
      if (frames.length > 0 && socket.writable && socket.writableLength < MAX_BUFFERED_BYTES) socket.write(frames)
    },
    close: () => void socket.destroy(),
    ended,
  }
}

function requestHead({ host, port, mount, password, format, bitrateKbps }: SourceRequest): string {
  return [
    `SOURCE ${mount} HTTP/1.0`,
    `Host: ${host}:${port}`,
    `Authorization: Basic ${Buffer.from(`source:${password}`).toString('base64')}`,
    'User-Agent: skipcast-filler',
    `Content-Type: ${CONTENT_TYPES[format]}`,
    'Ice-Public: 0',
    `Ice-Name: ${mount.slice(1)}`,
    `Ice-Bitrate: ${bitrateKbps}`,
    '\r\n',
  ].join('\r\n')
}
