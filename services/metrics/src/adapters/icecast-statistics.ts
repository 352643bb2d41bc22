import { AppError, httpGet, messageOf } from '@skipcast/runtime'
import { readStatistics } from '../domain/statistics.ts'
import type { IcecastStatistics } from '../ports.ts'

/** A mount takes about 700 bytes: some 20,000 mounts. Reading as much takes a second of this process. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** Asks `/admin/stats` over HTTP. */
export function icecastStatistics(at: {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly timeoutMs: number
}): IcecastStatistics {
  const host = at.host.includes(':') ? `[${at.host}]` : at.host
  const name = `${host}:${at.port}`
  const url = new URL(`http://${name}/admin/stats`)
  const unavailable = (problem: string, cause?: unknown) =>
    new AppError('ICECAST_UNAVAILABLE', `Icecast at ${name} ${problem}`, { cause })
  return {
    name,
    async read(signal) {
      const { user, password, timeoutMs } = at
      const limits = { timeoutMs, maxBytes: MAX_ANSWER_BYTES, ...(signal && { signal }) }
      const answer = await httpGet(url, { user, password, ...limits }).catch((cause: unknown) => {
        throw unavailable(`gave no statistics: ${messageOf(cause)}`, cause)
      })
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
