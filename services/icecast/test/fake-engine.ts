import { mp3FrameReader } from '@skipcast/audio'
import { createConnection } from 'node:net'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { toneFile } from '@skipcast/testing'

/** A source as an engine is one: a paced tone, frame by frame, no burst at the start. */
export interface FakeEngine extends AsyncDisposable {
  /** What Icecast answered, such as 200, 401 or 403; 0 when it closed without an answer. */
  readonly status: number
  readonly isConnected: boolean
  /** Keeps the connection and sends nothing more. */
  hang(): void
  /** The connection ends without a word, as when the process is killed. */
  die(): void
  /** The connection ends with a reset. */
  reset(): void
}

export type Frames = readonly { readonly data: Buffer; readonly durationMs: number }[]

/** Frames of a tone to loop over. */
export async function toneFrames(path: string, frequencyHz: number): Promise<Frames> {
  await toneFile(path, { frequencyHz, seconds: 10 })
  return mp3FrameReader().push(await readFile(path))
}

/** Connects to a mount and resolves with Icecast's answer. */
export async function fakeEngine(options: {
  port: number
  mount: string
  password: string
  frames: Frames
  user?: string
  method?: 'SOURCE' | 'PUT'
}): Promise<FakeEngine> {
  const { mount, frames, user = 'source', method = 'SOURCE' } = options
  const socket = createConnection({ host: '127.0.0.1', port: options.port, noDelay: true })
  socket.on('error', () => {})
  const authorization = Buffer.from(`${user}:${options.password}`).toString('base64')
  socket.write(
    [
      `${method} ${mount} HTTP/1.${method === 'PUT' ? 1 : 0}`,
      'Host: localhost',
      `Authorization: Basic ${authorization}`,
      'User-Agent: fake-engine',
      'Content-Type: audio/mpeg',
      'Ice-Name: tone & <tone>',
      '\r\n',
    ].join('\r\n'),
  )
  const status = await Promise.race([
    once(socket, 'data').then(([bytes]) => Number(/^HTTP\/1\.\d (\d{3})/.exec((bytes as Buffer).toString('latin1'))?.[1] ?? 0)),
    once(socket, 'close').then(() => 0),
  ])
  socket.resume()

  const startedAt = performance.now()
  let sentMs = 0
  let next = 0
  const timer = setInterval(() => {
    for (; sentMs < performance.now() - startedAt; next++) {
      const frame = frames[next % frames.length]!
      if (socket.writable) socket.write(frame.data)
      sentMs += frame.durationMs
    }
  }, 13)
  if (status !== 200) clearInterval(timer)
  socket.once('close', () => clearInterval(timer))
  return {
    status,
    get isConnected() {
      return status === 200 && !socket.closed
    },
    hang: () => clearInterval(timer),
    die: () => void socket.destroy(),
    reset: () => void socket.resetAndDestroy(),
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      socket.destroy()
    },
  }
}
