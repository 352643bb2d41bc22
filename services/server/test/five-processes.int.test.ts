import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import {
  PLAYER_RESERVE_MS,
  apiClient,
  freePorts,
  hears,
  openListener,
  startSkipcast,
  temporaryHome,
  toneFile,
  untilReady,
  type SkipcastProcess,
} from '@skipcast/testing'

let home: Awaited<ReturnType<typeof temporaryHome>>
const processes = new Map<string, SkipcastProcess>()
let variables: Record<string, string>

beforeAll(async () => {
  home = await temporaryHome()
  const [api, icecast] = await freePorts(2)
  variables = { API_PORT: String(api), ICECAST_PORT: String(icecast) }
  // The order must not matter: each comes up before what it needs.
  for (const role of ['liquidsoap', 'media', 'metrics', 'api', 'icecast', 'kafka']) await start(role)
  await untilReady(processes.get('api')!)
}, 180_000)

afterAll(async () => {
  await Promise.all([...processes.values()].map((server) => server[Symbol.asyncDispose]()))
  await home?.[Symbol.asyncDispose]()
}, 60_000)

async function start(role: string): Promise<void> {
  processes.set(role, await startSkipcast(home.path, { ...variables, SERVER_ROLES: role }))
}

test('six roles as six processes put a channel on air, and the listener numbers come back over Kafka', async () => {
  const tone = await toneFile(join(home.path, '550.mp3'), { frequencyHz: 550, seconds: 30 })
  const api = await apiClient(processes.get('api')!.apiUrl, home.path)
  await api.channel({ name: 'Five', slug: 'five' }, [tone])
  expect((await api.call('POST', '/api/channels/five/stream/start')).status).toBe(202)
  await api.untilPhase('five', 'on_air', 30_000)
  await using listener = await openListener(`http://127.0.0.1:${variables['ICECAST_PORT']}/five`)
  await hears(listener, 550, { timeoutMs: 15_000 })
  await waitFor(
    'the listener to be counted',
    async () => {
      const { body } = await api.call('GET', '/api/channels/five/stream/status')
      return body.stream.listeners === 1
    },
    { timeoutMs: 15_000 },
  )
}, 90_000)

test('kill -9 of the agent alone: no gap, and the new agent adopts', async () => {
  const api = await apiClient(processes.get('api')!.apiUrl, home.path)
  await using listener = await openListener(`http://127.0.0.1:${variables['ICECAST_PORT']}/five`)
  await hears(listener, 550, { timeoutMs: 15_000 })
  const mark = performance.now()
  processes.get('liquidsoap')!.signal('SIGKILL')
  await processes.get('liquidsoap')!.ended
  await api.untilPhase('five', 'failing', 15_000) // its server is silent, and status says so
  await start('liquidsoap')
  await api.untilPhase('five', 'on_air', 30_000)
  await hears(listener, 550, { timeoutMs: 15_000 })
  console.log(`agent killed and started again: longest gap ${Math.round(listener.gapSince(mark))} ms`)
  expect(listener.closures).toEqual([])
  expect(listener.gapSince(mark)).toBeLessThan(PLAYER_RESERVE_MS)
}, 90_000)
