import { setTimeout as sleep } from 'node:timers/promises'
import { phase as phases, type Phase } from '@skipcast/contracts'
import { z } from 'zod'
import type { Claim } from './contradiction.ts'

/** What status said of each channel, and when, as somebody sees it who follows `GET /api/events`. */
export interface StatusWitness extends AsyncDisposable {
  claims(slug: string): readonly Claim[]
  /** What it says now; null: nothing. */
  phase(slug: string): Phase | null
}

const AGAIN_AFTER_MS = 100
/** A server that is frozen sends nothing; one that lives comments every 15 s, and the agents' reports come every 5 s. */
const DEAD_AFTER_MS = 20_000

const streamEvent = z.object({
  channel: z.object({ slug: z.string() }),
  stream: z.object({ phase: phases, stale: z.boolean(), last_error: z.object({ code: z.string() }).nullable() }),
})

export function statusWitness(apiUrl: string): StatusWitness {
  const told = new Map<string, Claim[]>()
  const closing = new AbortController()

  const note = (slug: string, phase: Phase | null) => {
    const claims = told.get(slug) ?? []
    if (claims.at(-1)?.phase !== phase) claims.push({ at: performance.now(), phase })
    told.set(slug, claims)
  }
  const read = (event: string) => {
    const data = /^data: (.*)$/m.exec(event)?.[1]
    const parsed = streamEvent.safeParse(data && JSON.parse(data))
    if (!parsed.success) return
    const { channel, stream } = parsed.data
    // Status may say itself that it does not know what listeners hear: its server, or the bus, is out of reach.
    note(channel.slug, stream.stale || stream.last_error?.code === 'SERVER_SILENT' ? null : stream.phase)
  }
  const follow = async () => {
    const patience = new AbortController()
    let limit = setTimeout(() => patience.abort(), DEAD_AFTER_MS)
    try {
      const response = await fetch(`${apiUrl}/api/events`, { signal: AbortSignal.any([closing.signal, patience.signal]) })
      let text = ''
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        limit = limit.refresh()
        const events = (text + chunk).split('\n\n')
        text = events.pop()!
        events.forEach(read)
      }
    } finally {
      clearTimeout(limit)
      for (const slug of told.keys()) note(slug, null)
    }
  }
  const following = (async () => {
    while (!closing.signal.aborted) {
      await follow().catch(() => {}) // the API is away, which is what is tested
      await sleep(AGAIN_AFTER_MS, undefined, { signal: closing.signal }).catch(() => {})
    }
  })()

  return {
    claims: (slug) => told.get(slug) ?? [],
    phase: (slug) => told.get(slug)?.at(-1)?.phase ?? null,
    async [Symbol.asyncDispose]() {
      closing.abort()
      await following
    },
  }
}
