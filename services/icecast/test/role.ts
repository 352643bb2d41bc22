import { memoryBus, type MemoryBus } from '@skipcast/bus'
import { signListenToken, signSourceToken, stamp, type StreamCommand, type ListenerSession } from '@skipcast/contracts'
import {
  createLogger,
  healthBoard,
  meters,
  httpGet,
  openHome,
  readConfig,
  silentLogger,
  waitFor,
  type HealthBoard,
  type HttpAnswer,
} from '@skipcast/runtime'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts, openListener, temporaryHome } from '@skipcast/testing'
import { icecastEnv, startIcecast } from '../src/icecast.ts'
import { fakeEngine, toneFrames, type FakeEngine, type Frames } from './fake-engine.ts'

const SIGNING_KEY = 'a key that only this test and its channels know'
/** Holds what XML has to escape. */
export const PASSWORD = `<&"'>`
const ORIGIN = { application: 'skipcast', environment: 'test' }

/** A machine with role icecast, which a test may start and end as often as it likes. */
export interface Machine extends AsyncDisposable {
  readonly port: number
  readonly home: string
  readonly bus: MemoryBus
  readonly health: HealthBoard
  url(mount: string): string
  /** icecast2's own port on loopback, behind the front. */
  innerPort(): Promise<number>
  token(channelId: string, mount: string, epoch: number): string
  /** What engines play, made once. That takes a moment, in which no engine of this process sends anything. */
  tone(frequencyHz: number): Promise<Frames>
  /** An engine with a genuine token, of `c1`, `/demo` and epoch 1 unless told otherwise. It plays 440 Hz, and ends with the machine at the latest. */
  engine(options?: { channelId?: string; mount?: string; epoch?: number; frequencyHz?: number }): Promise<FakeEngine>
  /** Listener sessions that were told on the bus, in order. */
  readonly sessions: readonly ListenerSession[]
  pidOf(program: 'icecast2' | 'haproxy'): Promise<number>
  start(options?: {
    onStop?: 'stop' | 'hand-over'
    environment?: Record<string, string>
    guardForMs?: number
    emptyForMs?: number
    passEveryMs?: number
    now?: () => number
  }): Promise<AsyncDisposable>
  /** Publishes a wanted stream, or with `stop_stream` its end. Its primary has the channel's own mount unless told otherwise; a standby has the other one. */
  command(
    event: StreamCommand['event'],
    channelId: string,
    channelMount: string,
    epoch?: number,
    options?: { mount?: string; standbyEpoch?: number; listeners?: 'signed'; maxListeners?: number },
  ): Promise<void>
  /** With what a private channel is heard. */
  link(channelId: string, mount: string, expiresAt: number): string
  remove(channelId: string): Promise<void>
  /** Waits until a listener of this mount gets audio, of whomever. */
  untilFed(mount: string): Promise<void>
  /** Asks Icecast as its administrator, behind the front. */
  admin(command: string): Promise<HttpAnswer>
}

/** What somebody who comes to listen is answered. */
export async function statusOf(url: string): Promise<number> {
  await using listener = await openListener(url)
  return listener.answer.status
}

export async function machine(): Promise<Machine> {
  await using owned = new AsyncDisposableStack()
  const home = owned.use(await temporaryHome())
  const bus = owned.use(memoryBus())
  const health = healthBoard()
  const [port] = await freePorts(1)
  const sessions: ListenerSession[] = []
  owned.use(
    bus.consume({
      topic: 'userInteractions',
      group: 'test',
      handle: async (message) => void sessions.push(message as ListenerSession),
    }),
  )
  const frames = new Map<number, Promise<Frames>>()
  let generation = 0
  const logger = process.env['TEST_LOG'] ? createLogger({ level: process.env['TEST_LOG'] }) : silentLogger()

  const made: Machine = {
    port: port!,
    home: home.path,
    bus,
    health,
    url: (mount) => `http://127.0.0.1:${port}${mount}`,
    innerPort: async () => Number(await readFile(join(home.path, 'ports', 'icecast-inner'), 'utf8')),
    token: (channelId, mount, epoch) => signSourceToken(SIGNING_KEY, { channelId, mount, epoch }),
    tone(frequencyHz) {
      const tone = frames.get(frequencyHz) ?? toneFrames(join(home.path, `${frequencyHz}.mp3`), frequencyHz)
      frames.set(frequencyHz, tone)
      return tone
    },
    async engine({ channelId = 'c1', mount = '/demo', epoch = 1, frequencyHz = 440 } = {}) {
      const password = made.token(channelId, mount, epoch)
      return stack.use(await fakeEngine({ port: made.port, mount, password, frames: await made.tone(frequencyHz) }))
    },
    sessions,
    async pidOf(program) {
      const identity = JSON.parse(await readFile(join(home.path, 'icecast', `${program}.json`), 'utf8')) as { pid: number }
      return identity.pid
    },
    async start({ onStop = 'stop', environment = {}, ...overrides } = {}) {
      const given = {
        ICECAST_PORT: String(port),
        ICECAST_BIND: '127.0.0.1',
        ICECAST_PASSWORD: PASSWORD,
        SOURCE_SIGNING_KEY: SIGNING_KEY,
        ...environment,
      }
      const { icecast } = readConfig({ icecast: icecastEnv }, given)
      const context = {
        bus,
        home: await openHome(home.path),
        logger,
        health,
        meters: meters(),
        serverId: 'here',
        origin: ORIGIN,
        onStop,
      }
      return startIcecast(icecast, context, { passEveryMs: 500, ...overrides })
    },
    link: (channelId, mount, expiresAt) => `${made.url(mount)}?token=${signListenToken(SIGNING_KEY, { channelId, expiresAt })}`,
    async command(
      event,
      channelId,
      channelMount,
      epoch = 1,
      { mount = channelMount, standbyEpoch, listeners, maxListeners } = {},
    ) {
      generation += 1
      const common = {
        ...stamp(ORIGIN, Date.now(), `${channelId}-${generation}`),
        channel_id: channelId,
        channel_slug: channelMount.slice(1),
        generation,
        epoch,
        server_id: 'here',
        mount,
      }
      const other = mount === channelMount ? `/w${channelMount}` : channelMount
      const standby = standbyEpoch !== undefined && { server_id: 'there', epoch: standbyEpoch, mount: other }
      const withToken = standby && { standby: { ...standby, source_token: made.token(channelId, other, standby.epoch) } }
      const start = { source_token: made.token(channelId, mount, epoch), name: 'A', description: '', genre: '' }
      const value: StreamCommand =
        event === 'start_stream'
          ? {
              ...common,
              ...withToken,
              event,
              ...start,
              mode: 'copy',
              bitrate_kbps: 128,
              tracks: [],
              ...(listeners && { listeners }),
              ...(maxListeners !== undefined && { max_listeners: maxListeners }),
            }
          : { ...common, ...(standby && { standby }), event }
      await bus.publish('streamCommands', [{ key: channelId, value }])
    },
    async remove(channelId) {
      await bus.publish('streamCommands', [{ key: channelId, value: null }])
    },
    async untilFed(mount) {
      await waitFor(`${mount} to be fed`, async () => (await statusOf(made.url(mount))) === 200, { timeoutMs: 8000 })
    },
    admin: async (command) =>
      httpGet(new URL(`http://127.0.0.1:${await made.innerPort()}/admin/${command}`), {
        user: 'admin',
        password: PASSWORD,
        timeoutMs: 5000,
        maxBytes: 1_000_000,
      }),
    [Symbol.asyncDispose]: () => disposed(),
  }
  const stack = owned.move()
  const disposed = () => stack.disposeAsync()
  return made
}
