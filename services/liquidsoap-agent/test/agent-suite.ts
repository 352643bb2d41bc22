import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals'
import type { StartStream, StreamStatus, Track } from '@skipcast/contracts'
import { isAlive } from '@skipcast/runtime'
import { openListener, temporaryHome, type Listener, type TemporaryHome } from '@skipcast/testing'
import { enginesOf, holderIn, rig, type Rig, type RunningEngine } from './agent-under-test.ts'
import { aStart } from './streams.ts'
import { SOURCE_PASSWORD, testIcecast, type TestIcecast } from './test-icecast.ts'

/** What each test of a file has: one Icecast for all of them, a home of its own, two tracks, and an agent that is not started yet. */
export interface AgentSuite {
  readonly icecast: TestIcecast
  readonly home: TemporaryHome
  readonly rig: Rig
  /** Closed at the end of the test; engines that are left end after that. */
  readonly owned: AsyncDisposableStack
  /** 440 Hz. */
  readonly low: Track
  /** 880 Hz. */
  readonly high: Track
  engines(): Promise<RunningEngine[]>
  /** The engine that plays this channel. */
  holderOf(channelId: string): Promise<RunningEngine>
  /** A start that Icecast lets in, with the low track. */
  aChannel(id: string, overrides?: Partial<StartStream>): StartStream
  /** Waits until it is told to be on air, since this moment or later. */
  onAir(channelId: string, since?: number): Promise<StreamStatus>
  /** Somebody who comes back at once when the connection ends: there is no filler here. */
  listen(mount: string): Promise<Listener>
  /** What was told of a channel, by name. */
  namesOf(channelId: string): string[]
}

/** Registers what comes before and after the tests of this file. */
export function agentSuite(options: { variables: Record<string, string>; trackSeconds: number }): AgentSuite {
  let icecast: TestIcecast
  let home: TemporaryHome
  let here: Rig
  let owned: AsyncDisposableStack
  let low: Track
  let high: Track
  const engines = () => enginesOf(home.path)

  beforeAll(async () => {
    icecast = await testIcecast()
  }, 60_000)
  afterAll(async () => {
    await icecast[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    owned = new AsyncDisposableStack()
    home = owned.use(await temporaryHome())
    // After the agents, which would only start others.
    owned.defer(async () => {
      for (const engine of await engines()) if (isAlive(engine)) process.kill(engine.pid, 'SIGKILL')
    })
    here = owned.use(rig(home, { ICECAST_PORT: `${icecast.port}`, AGENT_RESYNC_MS: '500', ...options.variables }))
    low = await here.tone('low', { frequencyHz: 440, seconds: options.trackSeconds })
    high = await here.tone('high', { frequencyHz: 880, seconds: options.trackSeconds })
  }, 60_000)
  afterEach(async () => {
    await owned.disposeAsync()
  }, 60_000)

  return {
    get icecast() {
      return icecast
    },
    get home() {
      return home
    },
    get rig() {
      return here
    },
    get owned() {
      return owned
    },
    get low() {
      return low
    },
    get high() {
      return high
    },
    engines,
    holderOf: (channelId) => holderIn(home.path, channelId),
    aChannel: (id, overrides = {}) => aStart(id, { source_token: SOURCE_PASSWORD, tracks: [low], ...overrides }),
    onAir: (channelId, since = 0) =>
      here.until(channelId, 'on air', (status) => status.phase === 'on_air' && status.since >= since),
    listen: (mount) => openListener(icecast.urlOf(mount), { reconnectAfterMs: 50 }),
    namesOf: (channelId) => here.events.filter(({ channel_id }) => channel_id === channelId).map(({ event }) => event),
  }
}
