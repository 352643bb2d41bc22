import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { memoryBus, type MemoryBus, type ServiceContext } from '@skipcast/bus'
import type { StreamCommand, StreamEvent, StreamStatus, Track } from '@skipcast/contracts'
import {
  createLogger,
  healthBoard,
  meters,
  readConfig,
  silentLogger,
  waitFor,
  type Home,
  type ProcessIdentity,
} from '@skipcast/runtime'
import { toneFile, type ToneFileOptions } from '@skipcast/testing'
import { agentEnv, startAgent, type AgentOverrides } from '../src/liquidsoap-agent.ts'

const TIMEOUT_MS = 30_000

/** The agent, the bus it talks on, and everything it said. */
export interface Rig extends AsyncDisposable {
  readonly bus: MemoryBus
  readonly home: Home
  readonly events: readonly StreamEvent[]
  readonly health: ServiceContext['health']
  /** What the agent that was started last shows to Prometheus. */
  meters(): Promise<string>
  /** All statuses of a channel, in order. */
  statuses(channelId: string): readonly StreamStatus[]
  /** Starts an agent; closing it does what `onStop` says. */
  start(onStop?: ServiceContext['onStop'], overrides?: AgentOverrides): Promise<AsyncDisposable>
  /** Says what is wanted. */
  want(...commands: StreamCommand[]): Promise<void>
  /** Waits until a status of this channel is told that passes. */
  until(channelId: string, what: string, condition: (status: StreamStatus) => boolean, timeoutMs?: number): Promise<StreamStatus>
  /** Puts a tone into the media store and returns the track. */
  tone(mediaId: string, options: ToneFileOptions): Promise<Track>
  /** Puts whatever this is into the media store, as if it were a track. */
  file(mediaId: string, content: Buffer, seconds: number): Promise<Track>
}

export function rig(home: Home, variables: Record<string, string>, bus: MemoryBus = memoryBus(), serverId = 'here'): Rig {
  const health = healthBoard()
  let board = meters()
  const statuses: StreamStatus[] = []
  const events: StreamEvent[] = []
  const view = bus.watch('streamStatus')
  view.onChange((key) => {
    const status = key === null ? undefined : view.values.get(key)
    if (status) statuses.push(status)
  })
  const consumer = bus.consume({ topic: 'streamEvents', group: 'test', handle: async (event) => void events.push(event) })
  const keep = async (mediaId: string, content: Buffer, seconds: number): Promise<Track> => {
    const sha256 = createHash('sha256').update(content).digest('hex')
    const directory = join(home.path, 'media', sha256.slice(0, 2))
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, `${sha256}.mp3`), content)
    return {
      media_id: mediaId,
      sha256,
      size_bytes: content.length,
      duration_ms: Math.round(seconds * 1000),
      title: `Title ${mediaId}`,
      artist: 'Artist',
    }
  }
  const of = (channelId: string) => statuses.filter(({ channel_id }) => channel_id === channelId)
  return {
    bus,
    home,
    events,
    health,
    meters: async () => (await board.show()).text,
    statuses: of,
    start(onStop = 'hand-over', overrides = {}) {
      const { config } = readConfig({ config: agentEnv }, variables)
      const origin = { application: 'skipcast', environment: 'test' }
      const logger = process.env['TEST_LOG'] ? createLogger({ level: process.env['TEST_LOG'] }) : silentLogger()
      board = meters()
      return startAgent(config, { bus, home, health, meters: board, logger, serverId, origin, onStop }, overrides)
    },
    want: (...commands) =>
      bus.publish(
        'streamCommands',
        commands.map((value) => ({ key: value.channel_id, value })),
      ),
    until: (channelId, what, condition, timeoutMs = TIMEOUT_MS) =>
      waitFor(
        `${channelId} to be ${what}; told last: ${JSON.stringify(of(channelId).at(-1))}`,
        () => of(channelId).findLast((status) => condition(status)),
        { timeoutMs, everyMs: 5 },
      ),
    async tone(mediaId, options) {
      const draft = await toneFile(join(home.path, `${mediaId}.mp3`), options)
      return keep(mediaId, await readFile(draft), options.seconds)
    },
    file: keep,
    async [Symbol.asyncDispose]() {
      await view[Symbol.asyncDispose]()
      await consumer[Symbol.asyncDispose]()
      await bus[Symbol.asyncDispose]()
    },
  }
}

export type RunningEngine = ProcessIdentity & { readonly id: string }

/** The engines of a home, by what stands on its disk. */
export async function enginesOf(home: string): Promise<RunningEngine[]> {
  const root = join(home, 'agent/engines')
  const ids = await readdir(root).catch(() => [])
  const texts = await Promise.all(ids.map((id) => readFile(join(root, id, 'identity.json'), 'utf8').catch(() => null)))
  return texts.flatMap((text, index) => (text === null ? [] : [{ ...(JSON.parse(text) as ProcessIdentity), id: ids[index]! }]))
}

/** The engine that plays this channel. */
export async function holderIn(home: string, channelId: string): Promise<RunningEngine> {
  const plans = (id: string) => readdir(join(home, 'agent/engines', id, 'plans')).catch((): string[] => [])
  for (const engine of await enginesOf(home)) if ((await plans(engine.id)).includes(`${channelId}.json`)) return engine
  throw new Error(`no engine holds ${channelId}`)
}
