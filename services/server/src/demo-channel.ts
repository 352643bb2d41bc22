import { openAsBlob } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { makeDirectory, readFileIfThere, waitFor, type Home, type Logger } from '@skipcast/runtime'
import { synthesiseDemoMusic } from './demo-music.ts'

/** What `npm start` tells at the end. */
export interface Demo {
  readonly listenUrl: string
  readonly phase: string
}

/** First start on a slow machine: music to synthesise, files to analyse, a broker to start. */
const ON_AIR_TIMEOUT_MS = 120_000

/**
 * Makes the channel `demo` at the first start, as any operator would, through the API: music, upload, channel, start. What the
 * operator did to it since (stopped, changed, deleted) stays as it is. Resolves once it is on air, if it is to be.
 */
export async function demoChannel(apiUrl: string, home: Home, logger: Logger): Promise<Demo | null> {
  const token = await waitFor("the administrator's token", () => readFileIfThere(join(home.path, 'admin-token')), {
    timeoutMs: 30_000,
  })
  const api = apiClient(apiUrl, token.trim())
  const marker = join(home.path, 'demo-made')
  if ((await readFileIfThere(marker)) === null) {
    await makeDemo(api, home, logger)
    await writeFile(marker, '')
  }
  const found = await api('GET', '/api/channels/demo/stream/status', undefined, [200, 404])
  if (found.status === 404) return null
  if (found.body.channel.state === 'off') return { listenUrl: found.body.stream.listen_url, phase: 'off' }
  const status = await waitFor(
    'the demo channel to be on air',
    async () => {
      const { body } = await api('GET', '/api/channels/demo/stream/status')
      return body.stream.phase === 'on_air' && body
    },
    { timeoutMs: ON_AIR_TIMEOUT_MS, everyMs: 100 },
  )
  return { listenUrl: status.stream.listen_url, phase: status.stream.phase }
}

async function makeDemo(api: ApiClient, home: Home, logger: Logger): Promise<void> {
  const directory = await makeDirectory(join(home.path, 'demo-music'))
  const files = await synthesiseDemoMusic(directory, (text) => logger.info(text))
  const mediaIds: string[] = []
  for (const file of files) {
    const form = new FormData()
    form.set('media_file', await openAsBlob(file), basename(file))
    mediaIds.push((await api('POST', '/api/media/upload', form)).body.id)
    logger.info(`uploaded ${basename(file)}`)
  }
  const channel = {
    name: 'Skipcast Demo',
    slug: 'demo',
    description: 'Music that this machine made for itself.',
    genre: 'Electronic',
  }
  await api('POST', '/api/channels', channel, [201, 409])
  await api('POST', '/api/channels/demo/media', { media_ids: mediaIds })
  await api('POST', '/api/channels/demo/stream/start', undefined, [202])
  await rm(directory, { recursive: true })
}

// The demo reads a handful of fields of answers whose shape the API's own tests guard.
// oxlint-disable-next-line typescript/no-explicit-any
type Answer = { readonly status: number; readonly body: any }
type ApiClient = (method: string, path: string, body?: object, expected?: readonly number[]) => Promise<Answer>

function apiClient(baseUrl: string, token: string): ApiClient {
  return async (method, path, body, expected = [200, 201]) => {
    const isForm = body instanceof FormData
    const response = await fetch(`${baseUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && !isForm && { 'content-type': 'application/json' }) },
      ...(body && { body: isForm ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(120_000),
    })
    const answer = { status: response.status, body: await response.json() } as Answer
    if (!expected.includes(response.status))
      throw new Error(`${method} ${path} answered ${response.status}: ${answer.body.message}`)
    return answer
  }
}
