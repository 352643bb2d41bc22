import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, waitFor } from '@skipcast/runtime'
import { apiClient, type ApiClient } from '../api-client.ts'
import { HOLE_MS } from '../faults/contradiction.ts'
import { statusWitness, type StatusWitness } from '../faults/status-witness.ts'
import { openListener, type Listener } from '../listener.ts'
import { temporaryHome } from '../temporary-home.ts'
import { toneFile } from '../tone-file.ts'
import { hears } from '../tone.ts'
import { startBrokers, type Brokers } from './brokers.ts'
import { startDatabase } from './database.ts'
import { fakeClocks, type FakeClocks } from './fake-clocks.ts'
import { openLan, type Lan, type LanHost } from './lan.ts'
import { startMachine, type Machine } from './machine.ts'
import { orders, type Orders } from './orders.ts'

/**
 * A platform on air on nine machines of a network of its own. Everything in it is real.
 *
 *   kafka1 kafka2 kafka3    database    api    icecast    a  b  c (agents)     ◄── this process: API, listeners
 */
export interface Fleet extends AsyncDisposable {
  readonly lan: Lan
  /** Three brokers that hold every topic together. */
  readonly kafka: readonly LanHost[]
  readonly brokers: Brokers
  readonly database: LanHost
  readonly control: Machine
  readonly icecast: Machine
  readonly agents: readonly [Machine, Machine, Machine]
  /** Or why there are none. */
  readonly clocks: FakeClocks | string
  readonly api: ApiClient
  readonly status: StatusWitness
  /** On agent a before each fault. */
  readonly victims: readonly FleetChannel[]
  /** On agent b: what happens to a is no business of theirs. */
  readonly others: readonly FleetChannel[]
  readonly orders: Orders
  server(id: string): Promise<ServerView>
  /** Which servers have these channels, and with which epoch. */
  placements(channels: readonly FleetChannel[]): Promise<{ server: string; epoch: number }[]>
  /** Waits until every channel is where it belongs, on air and heard, and every server is open. Rejects with TIMEOUT, and what is not. */
  arrange(): Promise<void>
  /** Waits until all is on air and heard, wherever that is. */
  settled(timeoutMs: number): Promise<void>
}

export interface FleetChannel {
  readonly id: string
  readonly slug: string
  readonly frequencyHz: number
  readonly listeners: readonly Listener[]
}

interface ServerView {
  readonly id: string
  readonly state: string
  readonly sight: string
  readonly channels: number
  readonly placed: { readonly channels: number }
}

export interface FleetSize {
  readonly victims: number
  readonly others: number
  /** Of each channel. */
  readonly listeners: number
}

const TRACK_S = 20
const FIRST_HZ = 400
const STEP_HZ = 60
const SPARE_HZ = 300
const SPARES = 4
const OPENED_AT_ONCE = 5
const RECONNECT_AFTER_MS = 250
const READY_TIMEOUT_MS = 120_000
const ARRANGE_TIMEOUT_MS = 120_000
const CALM_MS = 1000
const PORTS = { API_PORT: '3000', ICECAST_PORT: '8000' }

/** Rejects where `whyNoLan` has a reason. */
export async function startFleet(size: FleetSize): Promise<Fleet> {
  await using owned = new AsyncDisposableStack()
  const root = owned.use(await temporaryHome())
  const lan = owned.use(await openLan())
  const hostOf = async (name: string) => {
    const host = await lan.host(name)
    const home = join(root.path, name)
    await mkdir(home, { mode: 0o711 })
    return { host, home }
  }
  const places = new Map<string, { host: LanHost; home: string }>()
  for (const name of ['icecast', 'api', 'database', 'kafka1', 'kafka2', 'kafka3', 'a', 'b', 'c'])
    places.set(name, await hostOf(name))
  const at = (name: string) => places.get(name)!
  const kafka = [at('kafka1').host, at('kafka2').host, at('kafka3').host]

  const clocks = await fakeClocks(root.path)
  const [brokers, databaseUrl] = await Promise.all([
    startBrokers(kafka, root),
    startDatabase(at('database').host, at('database').home, lan.network),
  ])
  const common = {
    ...PORTS,
    KAFKA_BROKER: brokers.addresses,
    KAFKA_REPLICATION: `${kafka.length}`,
    ICECAST_HOST: at('icecast').host.address,
    ICECAST_PASSWORD: randomUUID(),
    SOURCE_SIGNING_KEY: randomUUID() + randomUUID(),
    MEDIA_PATH: join(root.path, 'media'),
    ON_STOP: 'hand-over',
  }
  const machine = (name: string, roles: string, variables: Record<string, string> = {}) => {
    const { host, home } = at(name)
    const clock = typeof clocks === 'string' ? {} : clocks.variables(name)
    return startMachine(host, home, { ...common, SERVER_ID: name, SERVER_ROLES: roles, ...clock, ...variables })
  }
  const control = await machine('api', 'api,media', { API_HOST: at('api').host.address, DATABASE_URL: databaseUrl.trim() })
  const icecast = await machine('icecast', 'icecast,metrics')
  const agents = [await machine('a', 'liquidsoap'), await machine('b', 'liquidsoap'), await machine('c', 'liquidsoap')] as const
  const apiUrl = `http://${at('api').host.address}:${PORTS.API_PORT}`
  const isReady = async () => (await fetch(`${apiUrl}/readyz`, { signal: AbortSignal.timeout(5000) })).ok
  await waitFor('the fleet to be ready', isReady, { timeoutMs: READY_TIMEOUT_MS, everyMs: 100 })

  const api = await apiClient(apiUrl, control.home)
  const status = owned.use(statusWitness(apiUrl))
  const servers = async () => (await api.call('GET', '/api/servers')).body.data as ServerView[]
  const server = async (id: string) => {
    const found = (await servers()).find((one) => one.id === id)
    if (!found) throw new Error(`nobody has heard of ${id}`)
    return found
  }
  for (const { host } of agents)
    await waitFor(`${host.name} to be open`, async () => (await server(host.name)).state === 'open', {
      timeoutMs: READY_TIMEOUT_MS,
    })

  const spares = await Promise.all(Array.from({ length: SPARES }, (_, i) => makeChannel(api, root.path, `spare-${i}`, SPARE_HZ)))
  const open = async (name: string, index: number, on: string): Promise<FleetChannel> => {
    const frequencyHz = FIRST_HZ + index * STEP_HZ
    const { id, slug } = await makeChannel(api, root.path, name, frequencyHz)
    await api.call('POST', `/api/channels/${slug}/move`, { server_id: on })
    await api.call('POST', `/api/channels/${slug}/stream/start`)
    await api.untilPhase(slug, 'on_air', READY_TIMEOUT_MS)
    const url = `http://${at('icecast').host.address}:${PORTS.ICECAST_PORT}/${slug}`
    const listeners: Listener[] = []
    for (let i = 0; i < size.listeners; i++)
      listeners.push(owned.use(await openListener(url, { reconnectAfterMs: RECONNECT_AFTER_MS })))
    return { id, slug, frequencyHz, listeners }
  }
  /** A few at a time: the API takes no more files at once. */
  const openAll = async (name: string, count: number, first: number, on: string) => {
    const opened: FleetChannel[] = []
    while (opened.length < count) {
      const next = Array.from({ length: Math.min(OPENED_AT_ONCE, count - opened.length) }, (_, i) => opened.length + i)
      opened.push(...(await Promise.all(next.map((i) => open(`${name}-${i}`, first + i, on)))))
    }
    return opened
  }
  const victims = await openAll('victim', size.victims, 0, 'a')
  const others = await openAll('other', size.others, size.victims, 'b')
  for (const { listeners, frequencyHz } of [...victims, ...others])
    await hears(listeners[0]!, frequencyHz, { timeoutMs: READY_TIMEOUT_MS })

  const placements: Fleet['placements'] = (channels) =>
    Promise.all(channels.map(async ({ slug }) => (await api.call('GET', `/api/channels/${slug}/placement`)).body.primary))
  const unheard = (): string | null => {
    const now = performance.now()
    for (const { slug, listeners } of [...victims, ...others]) {
      if (status.phase(slug) !== 'on_air') return `status says that ${slug} is ${status.phase(slug)}`
      const mute = listeners.filter(({ isConnected, sounds }) => !isConnected || now - (sounds.at(-1) ?? 0) > HOLE_MS)
      if (mute.length > 0) return `${mute.length} listeners of ${slug} hear nothing`
    }
    return null
  }
  /** Resolves once there was nothing for a while. */
  const calm = async (timeoutMs: number, unsettled: () => Promise<string | null>) => {
    let calmSince = performance.now()
    const isCalm = async () => {
      const what = await unsettled().catch(messageOf)
      if (what === null) return performance.now() - calmSince >= CALM_MS
      calmSince = performance.now()
      throw new Error(what)
    }
    await waitFor('all to be on air and heard', isCalm, { timeoutMs, everyMs: 50 })
  }
  /** What is not as before each fault; a channel that is elsewhere is sent back. */
  const misplaced = async (): Promise<string | null> => {
    for (const { id, state, channels, placed } of await servers()) {
      if (state !== 'open') return `server ${id} is ${state}`
      if (channels !== placed.channels) return `${id} runs ${channels} channels instead of ${placed.channels}`
    }
    for (const [channels, home] of [[victims, 'a'] as const, [others, 'b'] as const]) {
      const all = await placements(channels)
      const away = channels.filter((_, index) => all[index]!.server !== home)
      for (const { slug } of away) await api.call('POST', `/api/channels/${slug}/move`, { server_id: home })
      if (away.length > 0) return `${away.length} channels were not on ${home}`
    }
    return unheard()
  }
  const stop = owned.move()
  return {
    lan,
    kafka,
    brokers,
    database: at('database').host,
    control,
    icecast,
    agents,
    clocks,
    api,
    status,
    victims,
    others,
    orders: orders(
      api,
      spares.map(({ slug }) => slug),
    ),
    server,
    placements,
    arrange: () => calm(ARRANGE_TIMEOUT_MS, misplaced),
    settled: (timeoutMs) => calm(timeoutMs, async () => unheard()),
    [Symbol.asyncDispose]: () => stop.disposeAsync(),
  }
}

async function makeChannel(api: ApiClient, directory: string, name: string, frequencyHz: number) {
  const file = await toneFile(join(directory, `${name}.mp3`), { frequencyHz, seconds: TRACK_S })
  return api.channel({ name, slug: name }, [file])
}
