import { request, type ClientRequest } from 'node:http'
import { MONITOR_AGENT } from '../domain/monitors.ts'
import type { OpenEar } from '../ports.ts'

const COME_BACK_MS = 250
/** Icecast greets with seconds of what it has kept: by then it has all come. */
const GREETING_MS = 500

/** Listens to mounts behind the front, as monitors do that ask for one mount each. */
export function mountEars(icecast: { host: string; port: number }): OpenEar {
  return (mount, onBytes) => {
    let connection: ClientRequest | undefined
    let retry: NodeJS.Timeout | undefined
    let isClosed = false

    const listen = () => {
      connection = request({ ...icecast, path: mount, agent: false, headers: { 'user-agent': `${MONITOR_AGENT} ${mount}` } })
      connection.once('response', (response) => {
        response.once('error', () => {})
        if (response.statusCode !== 200) {
          response.destroy()
          return
        }
        const listenedFrom = performance.now() + GREETING_MS
        response.on('data', (bytes: Buffer) => performance.now() > listenedFrom && onBytes(bytes.length))
      })
      connection.once('error', () => {}) // 'close' follows
      connection.once('close', () => {
        onBytes('lost')
        if (!isClosed) retry = setTimeout(listen, COME_BACK_MS)
      })
      connection.end()
    }
    listen()
    return {
      [Symbol.dispose]() {
        isClosed = true
        clearTimeout(retry)
        connection?.destroy()
      },
    }
  }
}
