import { request } from 'node:http'
import { AppError } from './errors.ts'

export interface HttpAnswer {
  readonly status: number
  readonly body: string
}

/**
 * One GET on a connection of its own, with a limit on everything: what small status pages of our own children need.
 * Resolves with the answer whatever its status. Rejects with TIMEOUT, TOO_LARGE (more than `maxBytes` came) or HOST_UNREACHABLE.
 */
export function httpGet(
  url: URL,
  options: { timeoutMs: number; maxBytes: number; user?: string; password?: string; signal?: AbortSignal },
): Promise<HttpAnswer> {
  const { host } = url
  return new Promise((resolve, reject) => {
    const timeout = AbortSignal.timeout(options.timeoutMs)
    const asked = request(url, {
      agent: false,
      signal: options.signal ? AbortSignal.any([timeout, options.signal]) : timeout,
      ...(options.user !== undefined && { auth: `${options.user}:${options.password ?? ''}` }),
    })
    const fail = (cause: unknown) => {
      if (cause instanceof AppError) return reject(cause)
      if (timeout.aborted)
        return reject(new AppError('TIMEOUT', `${host} did not answer within ${options.timeoutMs} ms`, { cause }))
      reject(new AppError('HOST_UNREACHABLE', `${host} did not answer`, { cause }))
    }
    asked.once('error', fail)
    asked.once('response', (answer) => {
      const chunks: Buffer[] = []
      let size = 0
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length
        chunks.push(chunk)
        if (size > options.maxBytes)
          answer.destroy(new AppError('TOO_LARGE', `${host} answered with more than ${options.maxBytes} bytes`))
      })
      answer.once('error', fail)
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }))
    })
    asked.end()
  })
}
