import { AppError } from '@skipcast/runtime'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readSessionReport, type SessionReport } from '../domain/session-report.ts'

/** Thousands may leave in one moment; the system may allow less. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024

/**
 * Hears from the front, by syslog on loopback, of each listener's connection that ended. While nobody hears it, it is lost: the front does not
 * wait. Rejects with PORT_TAKEN.
 */
export async function sessionReports(options: {
  host: string
  port: number
  secret: string
  onReport: (report: SessionReport) => void
}): Promise<AsyncDisposable> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES })
  socket.on('message', (message) => {
    const report = readSessionReport(message.toString(), options.secret)
    if (report) options.onReport(report)
  })
  socket.bind(options.port, options.host)
  await once(socket, 'listening').catch((cause: unknown) => {
    const text = `UDP port ${options.port}, on which the front tells of sessions, is taken by another program.`
    throw new AppError('PORT_TAKEN', text, { cause })
  })
  return {
    async [Symbol.asyncDispose]() {
      const closed = once(socket, 'close')
      socket.close()
      await closed
    },
  }
}
