import { createConnection } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** Sends text as it is, and resolves with the answer when the server ends the connection, or when so much of it came. */
export function say(
  port: number,
  text: string,
  options: { tls?: boolean; enoughBytes?: number; timeoutMs?: number } = {},
): Promise<string> {
  const { tls = false, enoughBytes = Infinity, timeoutMs = 5000 } = options
  return new Promise((resolve) => {
    const at = { host: '127.0.0.1', port }
    const socket = tls ? connectTls({ ...at, rejectUnauthorized: false }) : createConnection(at)
    let answer = ''
    socket.on('data', (bytes: Buffer) => {
      answer += bytes.toString('latin1')
      if (answer.length >= enoughBytes) socket.destroy()
    })
    socket.setTimeout(timeoutMs, () => socket.destroy())
    socket.once('error', () => {})
    socket.once('close', () => resolve(answer))
    socket.write(text)
  })
}
