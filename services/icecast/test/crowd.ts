import { createConnection, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What one of a crowd went through: the answer's status (0: none) and when its first byte of audio came. */
export interface Guest {
  readonly status: number
  readonly firstByteMs: number
}

const PATIENCE_MS = 20_000

/** So many who come to listen within `spreadMs`, stay until the last of them hears something, and tell. */
export async function crowd(port: number, mount: string, options: { size: number; spreadMs: number }): Promise<Guest[]> {
  const sockets: Socket[] = []
  const guests = await Promise.all(
    Array.from({ length: options.size }, async (_, index) => {
      await sleep((options.spreadMs * index) / options.size)
      const socket = createConnection({ host: '127.0.0.1', port })
      sockets.push(socket)
      return guest(socket, mount)
    }),
  )
  for (const socket of sockets) socket.destroy()
  return guests
}

function guest(socket: Socket, mount: string): Promise<Guest> {
  return new Promise((resolve) => {
    const cameAt = performance.now()
    let text = ''
    const tell = () => {
      socket.removeAllListeners('data').resume()
      resolve({ status: Number(/^HTTP\/1\.\d (\d{3})/.exec(text)?.[1] ?? 0), firstByteMs: performance.now() - cameAt })
    }
    socket.once('connect', () => socket.write(`GET ${mount} HTTP/1.0\r\nUser-Agent: guest\r\n\r\n`))
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      const headEnd = text.indexOf('\r\n\r\n')
      if (headEnd >= 0 && text.length > headEnd + 4) tell()
    })
    socket.setTimeout(PATIENCE_MS, () => socket.destroy())
    socket.on('error', () => {})
    socket.once('close', tell)
  })
}

/** How many got which answer. */
export function byStatus(guests: readonly { readonly status: number }[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { status } of guests) counts[status] = (counts[status] ?? 0) + 1
  return counts
}
