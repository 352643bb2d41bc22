import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import {
  apiClient,
  freePorts,
  openListener,
  ownEnvironment,
  processesOf,
  startSkipcast,
  summarise,
  temporaryHome,
  toneFile,
  untilReady,
  type ApiClient,
  type Listener,
  type SkipcastProcess,
  type TemporaryHome,
} from '@skipcast/testing'

const SKIPCAST = fileURLToPath(new URL('../src/skipcast.ts', import.meta.url))
const CHANNELS = 6
const TIMEOUT_MS = 45_000

let owned: AsyncDisposableStack
let api: ApiClient
let control: SkipcastProcess
let variables: Record<string, string>
const homes = new Map<string, TemporaryHome>()
const agents = new Map<string, SkipcastProcess>()
const slugs = Array.from({ length: CHANNELS }, (_, index) => `lost-${index}`)

/** One machine with everything but engines, and two that have only these: three homes, one broker. */
beforeAll(async () => {
  owned = new AsyncDisposableStack()
  const core = owned.use(await temporaryHome())
  const [broker, icecast] = await freePorts(2)
  const common = { ICECAST_PORT: `${icecast}`, MEDIA_PATH: join(core.path, 'media') }
  const ids = { SERVER_ID: 'core', SERVER_ROLES: 'kafka,api,media,icecast', KAFKA_PORT: `${broker}` }
  control = owned.use(await startSkipcast(core.path, { ...common, ...ids }))
  await untilReady(control)
  api = await apiClient(control.apiUrl, core.path)
  variables = { ...common, SERVER_ROLES: 'liquidsoap', KAFKA_BROKER: `127.0.0.1:${broker}` }
  for (const id of ['one', 'two']) homes.set(id, owned.use(await temporaryHome()))
  // Before their homes: without these an agent can't end its engines.
  owned.defer(async () => {
    for (const agent of agents.values()) agent.signal('SIGCONT')
    await Promise.all([...agents.values()].map((agent) => agent[Symbol.asyncDispose]()))
  })
  for (const id of homes.keys()) await startAgent(id)
  const tone = await toneFile(join(core.path, 'tone.mp3'), { frequencyHz: 440, seconds: 10 })
  await api.channel({ name: 'first', slug: slugs[0]! }, [tone])
  const [{ id: media }] = (await api.call('GET', `/api/channels/${slugs[0]}/media`)).body.data
  for (const slug of slugs) {
    await api.call('POST', '/api/channels', { name: slug, slug }) // there is the first already
    await api.call('POST', `/api/channels/${slug}/media`, { media_ids: [media] })
    expect((await api.call('POST', `/api/channels/${slug}/move`, { server_id: 'one' })).status).toBe(202)
    await api.call('POST', `/api/channels/${slug}/stream/start`)
  }
  for (const slug of slugs) await api.untilPhase(slug, 'on_air', TIMEOUT_MS)
}, 240_000)

afterAll(async () => {
  await owned.disposeAsync()
}, 60_000)

async function startAgent(id: string): Promise<void> {
  agents.set(id, await startSkipcast(homes.get(id)!.path, { ...variables, SERVER_ID: id }))
  await waitFor(`${id} to be open`, async () => (await server(id))?.state === 'open', { timeoutMs: TIMEOUT_MS })
}

async function server(id: string): Promise<{ id: string; state: string; placed: { channels: number } } | undefined> {
  return (await api.call('GET', '/api/servers')).body.data.find((one: { id: string }) => one.id === id)
}

async function placements(): Promise<{ server: string; epoch: number }[]> {
  return Promise.all(slugs.map(async (slug) => (await api.call('GET', `/api/channels/${slug}/placement`)).body.primary))
}

/** What listeners of all channels hear while their server goes, until all have the programme from the other one. */
async function heardWhile(strike: () => Promise<void>, to: string): Promise<string> {
  await using listening = new AsyncDisposableStack()
  const listeners: Listener[] = []
  for (const slug of slugs)
    listeners.push(listening.use(await openListener(`http://127.0.0.1:${variables['ICECAST_PORT']}/${slug}`)))
  const before = await placements()
  const mark = performance.now()
  await strike()
  const moved = async () => (await placements()).every(({ server: id }) => id === to)
  await waitFor(`all to be placed on ${to}`, moved, { timeoutMs: TIMEOUT_MS, everyMs: 20 })
  const placedMs = Math.round(performance.now() - mark)
  for (const slug of slugs) await api.untilPhase(slug, 'on_air', TIMEOUT_MS)
  expect((await placements()).map(({ epoch }) => epoch)).toEqual(before.map(({ epoch }) => epoch + 1))
  expect(listeners.flatMap(({ closures }) => closures)).toEqual([])
  const [gap, programme] = [
    summarise(listeners.map((listener) => listener.gapSince(mark))),
    summarise(listeners.map((listener) => soundGap(listener, mark))),
  ]
  const text = ({ p50, max }: typeof gap) => `${Math.round(p50)} (p50), ${Math.round(max)} (max) ms`
  return `${CHANNELS} channels placed after ${placedMs} ms; longest time without a byte ${text(gap)}, without the programme ${text(programme)}`
}

/** The longest time between two frames that are no silence. */
function soundGap(listener: Listener, mark: number): number {
  const at = listener.framesSince(mark).flatMap((frame) => (frame.silent ? [] : [frame.at]))
  return Math.max(...at.map((now, index) => now - (at[index - 1] ?? mark)))
}

test('a server that is lost without a word: its listeners keep their connections and hear another one; it comes back empty', async () => {
  const lost = await heardWhile(async () => {
    for (const { pid } of await processesOf(homes.get('one')!.path)) process.kill(pid, 'SIGKILL')
  }, 'two')
  await startAgent('one')
  expect((await server('one'))!.placed.channels).toBe(0)
  process.stdout.write(`server lost: ${lost}\n`)
}, 120_000)

test('an agent that is frozen while its channels move gives them up when it wakes; nobody hears two', async () => {
  const frozen = await heardWhile(async () => agents.get('two')!.signal('SIGSTOP'), 'one')
  agents.get('two')!.signal('SIGCONT')
  await waitFor('it to be open again', async () => (await server('two'))?.state === 'open', { timeoutMs: TIMEOUT_MS })
  await waitFor('it to give up its channels', async () => (await reported('two')) === 0, { timeoutMs: TIMEOUT_MS })
  expect((await placements()).map((primary) => primary.server)).toEqual(slugs.map(() => 'one'))
  for (const slug of slugs) expect(await api.phase(slug)).toBe('on_air')
  process.stdout.write(`agent frozen: ${frozen}\n`)
}, 120_000)

test('a server is emptied for an upgrade, its listeners hear another one, and it is open again', async () => {
  let upgraded: Promise<unknown> | undefined
  const drained = await heardWhile(async () => {
    const words = [SKIPCAST, 'servers', 'upgrade', 'one', '--', process.execPath, '--version']
    const environment = { ...ownEnvironment(), ...control.environment }
    upgraded = promisify(execFile)(process.execPath, words, { env: environment, timeout: TIMEOUT_MS })
  }, 'two')
  expect(await upgraded).toMatchObject({
    stdout: `${process.version}\n`,
    stderr: expect.stringMatching(/one is empty.*\n.* exit code 0\n.*\(open\)/),
  })
  process.stdout.write(`server drained: ${drained}\n`)
}, 120_000)

/** How many channels a server says that it has. */
async function reported(id: string): Promise<number> {
  return (await api.call('GET', '/api/servers')).body.data.find((one: { id: string }) => one.id === id).channels
}
