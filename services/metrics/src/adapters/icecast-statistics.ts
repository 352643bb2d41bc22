import { AppError, httpGet, messageOf } from '@skipcast/runtime'
import { readStatistics } from '../domain/statistics.ts'
import type { IcecastStatistics } from '../ports.ts'

const TIMEOUT_MS = 5000
/** A mount takes about 700 bytes. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024

/** Asks `/admin/stats` over HTTP. */
export function icecastStatistics(at: { host: string; port: number; user: string; password: string }): IcecastStatistics {
  const host = at.host.includes(':') ? `[${at.host}]` : at.host
  const url = new URL(`http://${host}:${at.port}/admin/stats`)
  const unavailable = (problem: string, cause?: unknown) =>
    new AppError('ICECAST_UNAVAILABLE', `Icecast at ${url.host} ${problem}`, { cause })
  return {
    async read() {
      const { user, password } = at
      const answer = await httpGet(url, { user, password, timeoutMs: TIMEOUT_MS, maxBytes: MAX_ANSWER_BYTES }).catch(
        (cause: unknown) => {
          throw unavailable(`gave no statistics: ${messageOf(cause)}`, cause)
        },
      )
      if (answer.status === 401) throw unavailable('refused ICECAST_USER and ICECAST_PASSWORD')
      if (answer.status !== 200) throw unavailable(`answered with status ${answer.status}`)
      try {
        return readStatistics(answer.body)
      } catch (cause) {
        throw unavailable(`answered with something else than statistics: ${messageOf(cause)}`, cause)
      }
    },
  }
}
