import { createServer, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { mp3FrameReader } from '@skipcast/audio'

/** A stand-in for Icecast whose faults are injected: it sends frames when they are due, in real time. */
export interface PacedServer extends AsyncDisposable {
  readonly url: string
  /** From now on plays these bytes, in a loop. `cutBytes` are first sent of the old ones: a frame cut in the middle. */
  play(mp3: Buffer, cutBytes?: number): void
  /** Sends nothing for this long, then goes on where it was. Resolves with the time between the last byte before and the first after, in ms. */
  pause(ms: number): Promise<number>
  /** Tells a title with the next metadata block. */
  title(text: string): void
  /** Ends every connection. */
  drop(): void
  /** The status of further requests. */
  answerWith(status: number): void
}

const METAINT = 4000
const TICK_MS = 20

interface Client {
  readonly response: ServerResponse
  readonly icy: boolean
  untilMeta: number
}

export async function pacedServer(mp3: Buffer): Promise<PacedServer> {
  const clients = new Set<Client>()
  let frames = mp3FrameReader().push(mp3)
  let next = 0
  let dueMs = performance.now()
  let status = 200
  let title = ''
  let lastSentAt = performance.now()
  let onSend = () => {}

  const server = createServer((request, response) => {
    const icy = request.headers['icy-metadata'] === '1'
    response.writeHead(status, { 'content-type': 'audio/mpeg', connection: 'close', ...(icy && { 'icy-metaint': `${METAINT}` }) })
    if (status !== 200) {
      response.end('no')
      return
    }
    response.flushHeaders()
    const client = { response, icy, untilMeta: METAINT }
    clients.add(client)
    response.on('close', () => clients.delete(client))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const send = (bytes: Buffer) => {
    onSend()
    lastSentAt = performance.now()
    for (const client of clients) client.response.write(client.icy ? withTitles(client, bytes, title) : bytes)
  }
  const tick = setInterval(() => {
    for (; dueMs <= performance.now(); next = (next + 1) % frames.length) {
      dueMs += frames[next]!.durationMs
      send(frames[next]!.data)
    }
  }, TICK_MS)

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/demo`,
    play(other, cutBytes = 0) {
      if (cutBytes > 0) send(frames[next]!.data.subarray(0, cutBytes))
      frames = mp3FrameReader().push(other)
      next = 0
    },
    pause: (ms) =>
      new Promise((resolve) => {
        const began = lastSentAt
        dueMs = performance.now() + ms
        onSend = () => {
          onSend = () => {}
          resolve(performance.now() - began)
        }
      }),
    title: (text) => void (title = text),
    drop: () => clients.forEach((client) => client.response.destroy()),
    answerWith: (code) => void (status = code),
    async [Symbol.asyncDispose]() {
      clearInterval(tick)
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

function withTitles(client: Client, bytes: Buffer, title: string): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const piece = bytes.subarray(at, at + client.untilMeta)
    parts.push(piece)
    at += piece.length
    client.untilMeta -= piece.length
    if (client.untilMeta > 0) continue
    const text = Buffer.from(`StreamTitle='${title}';`)
    const units = Math.ceil(text.length / 16)
    parts.push(Buffer.from([units]), text, Buffer.alloc(units * 16 - text.length))
    client.untilMeta = METAINT
  }
  return Buffer.concat(parts)
}
