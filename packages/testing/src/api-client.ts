import { openAsBlob } from 'node:fs'
import { basename, join } from 'node:path'
import { readFileIfThere, waitFor } from '@skipcast/runtime'

// Tests read answers whose shape the API's own tests guard.
// oxlint-disable-next-line typescript/no-explicit-any
export type Answer = { readonly status: number; readonly body: any }

/** A busy machine takes long to make what is played of a file. */
const UPLOAD_TIMEOUT_MS = 90_000

/** The API as a program uses it, with the administrator's token of the home. */
export interface ApiClient {
  call(method: string, path: string, body?: object): Promise<Answer>
  /** Makes a channel with these files as its playlist; resolves with its id and slug. */
  channel(
    fields: { name: string; slug?: string; [field: string]: unknown },
    files: readonly string[],
  ): Promise<{ id: string; slug: string }>
  /** The phase that status reports now. */
  phase(channel: string): Promise<string>
  untilPhase(channel: string, phase: string, timeoutMs: number): Promise<Answer>
}

export async function apiClient(apiUrl: string, home: string): Promise<ApiClient> {
  const token = await waitFor('the administrator token', () => readFileIfThere(join(home, 'admin-token')), { timeoutMs: 60_000 })
  const call: ApiClient['call'] = async (method, path, body) => {
    const isForm = body instanceof FormData
    const response = await fetch(`${apiUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token.trim()}`,
        ...(body && (isForm ? { prefer: 'wait=60' } : { 'content-type': 'application/json' })),
      },
      ...(body && { body: isForm ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(isForm ? UPLOAD_TIMEOUT_MS : 60_000),
    })
    const text = await response.text()
    return { status: response.status, body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text }
  }
  const status = (channel: string) => call('GET', `/api/channels/${channel}/stream/status`)
  return {
    call,
    async channel(fields, files) {
      const mediaIds: string[] = []
      for (const file of files) {
        const form = new FormData()
        form.set('media_file', await openAsBlob(file), basename(file))
        mediaIds.push(expectOk(await call('POST', '/api/media/upload', form)).id)
      }
      const { channel } = expectOk(await call('POST', '/api/channels', fields))
      expectOk(await call('POST', `/api/channels/${channel.id}/media`, { media_ids: mediaIds }))
      return channel
    },
    phase: async (channel) => (await status(channel)).body.stream.phase,
    untilPhase: (channel, phase, timeoutMs) =>
      waitFor(
        `${channel} to be ${phase}`,
        async () => {
          const answer = await status(channel)
          if (answer.body.stream?.phase === phase) return answer
          throw new Error(JSON.stringify(answer.body.stream ?? answer.body))
        },
        { timeoutMs, everyMs: 20 },
      ),
  }
}

function expectOk(answer: Answer) {
  if (answer.status >= 300) throw new Error(`the API answered ${answer.status}: ${JSON.stringify(answer.body)}`)
  return answer.body
}
