import { join } from 'node:path'
import { messageOf, openHome, waitFor } from '@skipcast/runtime'
import { apiClient, type ApiClient } from '../api-client.ts'
import { openListener, type Listener } from '../listener.ts'
import { processesOf } from '../skipcast-process.ts'
import { temporaryHome } from '../temporary-home.ts'
import { toneFile } from '../tone-file.ts'
import { hears } from '../tone.ts'
import { HOLE_MS } from './contradiction.ts'
import { enginesOf, type RunningEngine } from './engines.ts'
import { heldDatabase, type HeldDatabase } from './held-database.ts'
import { serverPart, type Part } from './part.ts'
import { smallDisk, type SmallDisk } from './small-disk.ts'
import { statusWitness, type StatusWitness } from './status-witness.ts'

/**
 * A platform on air, as three machines and a database would run it, and its listeners. Everything in it is real.
 *
 *   broker (kafka)   control (api, icecast, metrics)   agent (liquidsoap)   PostgreSQL
 *        └──────────────────────────── one home, on a disk of its own if there can be one
 */
export interface Station extends AsyncDisposable {
  readonly home: string
  readonly api: ApiClient
  readonly status: StatusWitness
  readonly parts: { readonly broker: Part; readonly control: Part; readonly agent: Part }
  readonly database: HeldDatabase
  /** Or why there is none. */
  readonly disk: SmallDisk | string
  /** One tone each, in tracks of a minute. */
  readonly channels: readonly StationChannel[]
  /** Tracks of some seconds: what changes in its playlist is soon heard. */
  readonly quick: StationChannel
  /** Nobody listens to it: it is started and stopped to see whether that is kept. */
  readonly spare: { readonly slug: string }
  /** Whether the spare channel was last told to be on. */
  readonly switched: { isOn: boolean }
  /** When the engine of a channel, by its id, was last harmed. */
  readonly hurtAt: Map<string, number>
  /**
   * Waits until all is on air, heard, and ready for the next fault. During an outage (`mayBeUnknown`) status need not know. Rejects with
   * TIMEOUT, and what is not.
   */
  settled(timeoutMs: number, options?: { mayBeUnknown: boolean }): Promise<void>
}

export interface StationChannel {
  readonly id: string
  readonly slug: string
  readonly file: string
  readonly frequencyHz: number
  /** All alike; the first one's tone is looked at. */
  readonly listeners: readonly Listener[]
}

export interface StationSize {
  readonly channels: number
  /** Of each channel. */
  readonly listeners: number
  readonly channelsPerEngine: number
}

const TRACK_S = 60
const QUICK_TRACK_S = 4
const FIRST_HZ = 400
const STEP_HZ = 90
/** As a player that lost its station. */
const RECONNECT_AFTER_MS = 250
const READY_TIMEOUT_MS = 60_000
/** So long everything has to sound before it counts as settled. */
const CALM_MS = 1000

export async function startStation(size: StationSize): Promise<Station> {
  await using owned = new AsyncDisposableStack()
  const temporary = owned.use(await temporaryHome())
  const disk = await smallDisk(temporary.path)
  if (typeof disk !== 'string') owned.use(disk)
  const home = (await openHome(temporary.path)).path
  owned.defer(() => endProcesses(home))

  const database = owned.use(await heldDatabase(home))
  const broker = owned.use(await serverPart(home, 'kafka', {}))
  const control = owned.use(await serverPart(home, 'api,media,icecast,metrics', { DATABASE_URL: database.url }))
  const variables = { ICECAST_PORT: String(control.icecastPort), CHANNELS_PER_ENGINE: String(size.channelsPerEngine) }
  const agent = owned.use(await serverPart(home, 'liquidsoap', variables))
  await waitFor('Skipcast to be ready', async () => (await fetch(`${control.apiUrl}/readyz`)).ok, { timeoutMs: READY_TIMEOUT_MS })

  const api = await apiClient(control.apiUrl, home)
  const status = owned.use(statusWitness(control.apiUrl))
  const open = async (slug: string, frequencyHz: number, seconds: number, listeners: number): Promise<StationChannel> => {
    const file = await toneFile(join(home, `${slug}.mp3`), { frequencyHz, seconds })
    const { id } = await api.channel({ name: slug, slug }, [file])
    if (listeners === 0) return { id, slug, file, frequencyHz, listeners: [] }
    await api.call('POST', `/api/channels/${slug}/stream/start`)
    await api.untilPhase(slug, 'on_air', READY_TIMEOUT_MS)
    const url = `http://127.0.0.1:${control.icecastPort}/${slug}`
    const opened = await Promise.all(
      Array.from({ length: listeners }, () => openListener(url, { reconnectAfterMs: RECONNECT_AFTER_MS })),
    )
    for (const listener of opened) owned.use(listener)
    return { id, slug, file, frequencyHz, listeners: opened }
  }
  const channels: StationChannel[] = []
  for (let i = 0; i < size.channels; i++) {
    channels.push(await open(`steady-${i}`, FIRST_HZ + i * STEP_HZ, TRACK_S, size.listeners))
  }
  const quick = await open('quick', FIRST_HZ + size.channels * STEP_HZ, QUICK_TRACK_S, 1)
  const spare = await open('spare', FIRST_HZ - STEP_HZ, TRACK_S, 0)
  await Promise.all(
    [...channels, quick].map(({ listeners, frequencyHz }) => hears(listeners[0]!, frequencyHz, { timeoutMs: READY_TIMEOUT_MS })),
  )

  const unsettled = async (mayBeUnknown: boolean): Promise<string | null> => {
    const now = performance.now()
    for (const { slug, listeners } of everyChannel({ channels, quick })) {
      const isFine = status.phase(slug) === 'on_air' || (mayBeUnknown && status.phase(slug) === null)
      if (!isFine) return `status says that ${slug} is ${status.phase(slug)}`
      const mute = listeners.filter(({ isConnected, sounds }) => !isConnected || now - (sounds.at(-1) ?? 0) > HOLE_MS)
      if (mute.length > 0) return `${mute.length} listeners of ${slug} hear nothing`
    }
    return hasRoom(await enginesOf(home), size.channelsPerEngine)
      ? null
      : 'there is no room for the channels of an engine that dies'
  }
  const stop = owned.move()
  return {
    home,
    api,
    status,
    parts: { broker, control, agent },
    database,
    disk,
    channels,
    quick,
    spare,
    switched: { isOn: false },
    hurtAt: new Map(),
    async settled(timeoutMs, { mayBeUnknown } = { mayBeUnknown: false }) {
      let calmSince = performance.now()
      await waitFor(
        'all to be on air and heard',
        async () => {
          const what = await unsettled(mayBeUnknown).catch(messageOf)
          if (what !== null) {
            calmSince = performance.now()
            throw new Error(what)
          }
          return performance.now() - calmSince >= CALM_MS
        },
        { timeoutMs, everyMs: 50 },
      )
    },
    [Symbol.asyncDispose]: () => stop.disposeAsync(),
  }
}

/** All that somebody listens to. */
export function everyChannel({ channels, quick }: Pick<Station, 'channels' | 'quick'>): StationChannel[] {
  return [...channels, quick]
}

/** Whether the others can take over the channels of any engine at once, as the agent sees to it: into an idle one, or into free places. */
function hasRoom(engines: readonly RunningEngine[], channelsPerEngine: number): boolean {
  const free = engines.reduce((room, { channelIds }) => room + Math.max(0, channelsPerEngine - channelIds.length), 0)
  return engines.every(({ channelIds: { length } }) => length === 0 || free - Math.max(0, channelsPerEngine - length) >= length)
}

/** What the parts handed over to nobody. */
async function endProcesses(home: string): Promise<void> {
  await waitFor(
    'every process of the station to end',
    async () => {
      const left = await processesOf(home)
      for (const { pid } of left) {
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // It has just ended.
        }
      }
      return left.length === 0
    },
    { timeoutMs: READY_TIMEOUT_MS },
  )
}
