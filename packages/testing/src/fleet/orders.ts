import { isAppError, waitFor } from '@skipcast/runtime'
import type { ApiClient } from '../api-client.ts'

/** Starts and stops of channels that nobody listens to, given while things break: what was acknowledged must come true. */
export interface Orders {
  /** Switches the next of the channels, off or on. Resolves with the answer's status; 0: there was none. */
  give(): Promise<number>
  readonly given: number
  readonly acknowledged: number
  /** Waits until the last acknowledged order of each channel is true. Resolves with those that did not become so. */
  lost(timeoutMs: number): Promise<string[]>
}

export function orders(api: ApiClient, slugs: readonly string[]): Orders {
  /** What is on; null: an order was not answered, and nobody can say. */
  const wanted = new Map<string, boolean | null>(slugs.map((slug) => [slug, false]))
  const counts = { given: 0, acknowledged: 0 }
  return {
    get given() {
      return counts.given
    },
    get acknowledged() {
      return counts.acknowledged
    },
    async give() {
      const slug = slugs[counts.given++ % slugs.length]!
      const isOn = wanted.get(slug) !== true
      const answer = await api.call('POST', `/api/channels/${slug}/stream/${isOn ? 'start' : 'stop'}`).catch(() => null)
      if (answer?.status === 202) counts.acknowledged += 1
      if (answer?.status === 202 || answer === null || answer.status >= 500)
        wanted.set(slug, answer?.status === 202 ? isOn : null)
      return answer?.status ?? 0
    },
    async lost(timeoutMs) {
      const deadline = performance.now() + timeoutMs
      const unkept = await Promise.all(
        [...wanted].map(async ([slug, isOn]) => {
          if (isOn === null) return []
          const phase = isOn ? 'on_air' : 'off'
          const left = Math.max(0, deadline - performance.now())
          return waitFor(`${slug} to be ${phase}`, async () => (await api.phase(slug)) === phase, { timeoutMs: left }).then(
            () => [],
            (error: unknown) => {
              if (!isAppError(error, 'TIMEOUT')) throw error
              return [`${slug} is not ${phase}`]
            },
          )
        }),
      )
      return unkept.flat()
    },
  }
}
