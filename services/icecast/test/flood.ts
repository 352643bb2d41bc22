import { spawn } from 'node:child_process'
import { createConnection } from 'node:net'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Knocks of somebody who knows no token, in turn. */
const KNOCKS = [
  (login: string) => `SOURCE /demo HTTP/1.0\r\n${login}Content-Type: audio/mpeg\r\n\r\n`,
  (login: string) => `PUT /demo HTTP/1.1\r\nHost: x\r\n${login}Content-Type: audio/mpeg\r\n\r\n`,
  (login: string) => `GET /admin/metadata?mode=updinfo&mount=/demo&song=x HTTP/1.0\r\n${login}\r\n`,
]
const TICK_MS = 10
const MOST_OPEN = 2000
const PATIENCE_MS = 5000

interface FloodOptions {
  readonly port: number
  readonly perSecond: number
  readonly passwords: readonly string[]
}

/** False logins, so many a second, from a process of their own, which ends with this one. */
export interface Flood extends AsyncDisposable {
  /** Ends it. How many were answered with which status (0: closed without a word). */
  end(): Promise<Record<number, number>>
}

export async function flood(options: FloodOptions): Promise<Flood> {
  const flooder = spawn(process.execPath, [fileURLToPath(import.meta.url), JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(flooder, 'close')
  let told = ''
  flooder.stdout.on('data', (bytes: Buffer) => (told += bytes.toString()))
  await once(flooder.stdout, 'data')
  const end = async () => {
    flooder.stdin.end()
    await ended
    return JSON.parse(told.slice(told.indexOf('{'))) as Record<number, number>
  }
  return { end, [Symbol.asyncDispose]: async () => void (await end()) }
}

async function knockUntilEnded({ port, perSecond, passwords }: FloodOptions): Promise<void> {
  const counts: Record<number, number> = {}
  const open = new Set<Promise<void>>()
  const startedAt = performance.now()
  let sent = 0
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1000) * perSecond
    for (; sent < due && open.size < MOST_OPEN; sent++) {
      const login = Buffer.from(`source:${passwords[sent % passwords.length]}`).toString('base64')
      const knocking = knock(port, KNOCKS[sent % KNOCKS.length]!(`Authorization: Basic ${login}\r\n`)).then((status) => {
        counts[status] = (counts[status] ?? 0) + 1
        open.delete(knocking)
      })
      open.add(knocking)
    }
  }, TICK_MS)
  process.stdout.write('begun')
  await once(process.stdin.resume(), 'end')
  clearInterval(timer)
  await Promise.all(open)
  process.stdout.write(JSON.stringify(counts))
}

function knock(port: number, request: string): Promise<number> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port }, () => socket.write(request))
    let status = 0
    socket.once('data', (bytes) => {
      status = Number(/^HTTP\/1\.\d (\d{3})/.exec(bytes.toString('latin1'))?.[1] ?? 0)
      socket.destroy()
    })
    socket.setTimeout(PATIENCE_MS, () => socket.destroy())
    socket.on('error', () => {})
    socket.once('close', () => resolve(status))
  })
}

if (import.meta.main) await knockUntilEnded(JSON.parse(process.argv[2]!) as FloodOptions)
