import { rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { makeDirectory, messageOf, readFileIfThere, waitFor, type Home, type Logger } from '@skipcast/runtime'
import { apiClient, isRefusal, type ApiClient } from './api-client.ts'
import { drawDemoArtwork } from './demo-artwork.ts'
import { synthesiseDemoMusic } from './demo-music.ts'

/** What `npm start` tells at the end. */
export interface Demo {
  readonly listenUrl: string
  readonly phase: string
}

/** First start on a slow machine: music to synthesise, files to analyse, a broker to start. */
const ON_AIR_TIMEOUT_MS = 120_000

/**
 * Makes the channel `demo` at the first start, as any operator would, through the API: music, upload, channel, start, artwork. What the
 * operator did to it since (stopped, changed, deleted) stays as it is. Resolves once it is on air, if it is to be.
 */
export async function demoChannel(apiUrl: string, home: Home, logger: Logger): Promise<Demo | null> {
  const token = await waitFor("the administrator's token", () => readFileIfThere(join(home.path, 'admin-token')), {
    timeoutMs: 30_000,
  })
  const api = apiClient(apiUrl, token.trim())
  // The token may be of an earlier start, and the database still busy to recover.
  await waitFor('the database', async () => (await api.readiness()).dependencies['database']?.ok, {
    timeoutMs: ON_AIR_TIMEOUT_MS,
    everyMs: 50,
  })
  const marker = join(home.path, 'demo-made')
  if ((await readFileIfThere(marker)) === null) {
    await makeDemo(api, home, logger)
    await writeFile(marker, '')
  }
  const found = await api.status('demo').catch((error: unknown) => {
    if (isRefusal(error, 404)) return null
    throw error
  })
  if (found === null) return null
  if (found.channel.state === 'off') return { listenUrl: found.stream.listen_url, phase: 'off' }
  const { stream } = await waitFor(
    'the demo channel to be on air',
    async () => {
      const status = await api.status('demo')
      return status.stream.phase === 'on_air' && status
    },
    { timeoutMs: ON_AIR_TIMEOUT_MS, everyMs: 100 },
  )
  return { listenUrl: stream.listen_url, phase: stream.phase }
}

async function makeDemo(api: ApiClient, home: Home, logger: Logger): Promise<void> {
  const directory = await makeDirectory(join(home.path, 'demo-music'))
  const files = await synthesiseDemoMusic(directory, (text) => logger.info(text))
  const mediaIds: string[] = []
  for (const file of files) {
    mediaIds.push((await api.upload(file)).id)
    logger.info(`uploaded ${basename(file)}`)
  }
  const description = 'Music that this machine made for itself.'
  await api.createChannel({ name: 'Skipcast Demo', slug: 'demo', description, genre: 'Electronic' }).catch((error: unknown) => {
    if (!isRefusal(error, 409)) throw error // a start that was killed had made it already
  })
  await api.attach('demo', mediaIds)
  await api.switchStream('demo', 'start')
  await giveArtwork(api, join(directory, 'artwork.png')).catch((error: unknown) => {
    logger.warn({ problem: messageOf(error) }, 'the demo channel has no artwork; it is heard all the same')
  })
  await rm(directory, { recursive: true })
}

async function giveArtwork(api: ApiClient, path: string): Promise<void> {
  await drawDemoArtwork(path)
  await api.giveArtwork('demo', path)
}
