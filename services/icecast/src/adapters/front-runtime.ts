import { AppError, messageOf } from '@skipcast/runtime'
import { createConnection } from 'node:net'

const TIMEOUT_MS = 1000
const MAX_ANSWER_BYTES = 32 * 1024 * 1024

/**
 * Tells the running HAProxy one command over its socket, and resolves with its answer. Commands are lines: no text of a user may be in one.
 * Rejects with ICECAST_UNAVAILABLE when nobody answers there within a second.
 */
export function tellFront(socketFile: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(socketFile)
    let answer = ''
    const fail = (cause: unknown) => {
      socket.destroy()
      reject(new AppError('ICECAST_UNAVAILABLE', `HAProxy did not answer on its socket: ${messageOf(cause)}`, { cause }))
    }
    socket.setTimeout(TIMEOUT_MS, () => fail(new Error(`nothing for ${TIMEOUT_MS} ms`)))
    socket.setEncoding('utf8')
    socket.on('data', (text) => {
      answer += String(text)
      if (answer.length > MAX_ANSWER_BYTES) fail(new Error('its answer is too long'))
    })
    socket.once('error', fail)
    socket.once('end', () => resolve(answer))
    socket.end(`${command}\n`)
  })
}
