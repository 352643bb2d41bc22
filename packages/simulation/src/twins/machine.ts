import type { ChannelRecord, Engine, EngineEvent, EngineHost, WantedStream } from '@skipcast/liquidsoap-agent/core'
import { AppError } from '@skipcast/runtime'
import type { Network } from '../kernel/network.ts'
import type { Process, World } from '../kernel/world.ts'
import type { Icecast2 } from './icecast2.ts'

/** A channel in an engine. */
interface HeldChannel {
  record: ChannelRecord
  stream: WantedStream
  readonly recordId: string
  readonly addedAt: number
  isConnected: boolean
  isGone: boolean
  problem: string
  trackIndex: number
  playId: string | null
  startedAt: number
  /** How far into its first track it began; 0 once that is over. */
  skippedMs: number
}

/** One Liquidsoap process: it lives on when its agent dies. */
export interface SimulatedEngine {
  readonly id: string
  readonly process: Process
  readonly channels: Map<string, HeldChannel>
  readonly events: EngineEvent[]
  added: number
  acknowledged: number
}

/** A server's engines. */
export interface Machine {
  readonly name: string
  readonly engines: Map<string, SimulatedEngine>
  /** The machine as an agent has it. */
  hostOf(agent: Process): EngineHost
  /** While set, Liquidsoap does not start. */
  startsFail: boolean
  /** Sees what is handed to engines. */
  onTake(listener: (engine: SimulatedEngine, record: ChannelRecord) => void): void
}

const START_MS = [200, 400] as const
const UNREACHABLE_MS = 1000
const RECONNECT_MS = [200, 1200] as const
/** An engine that can't send gives its connection up. */
const GIVE_UP_MS = 8000
const TRACK_MS = 12_000

/** A machine as `EngineHost` promises it, with engines that feed the simulated Icecast. */
export function machine(name: string, world: World, net: Network, icecast: Icecast2): Machine {
  const random = world.random.fork(`machine ${name}`)
  const engines = new Map<string, SimulatedEngine>()
  const hosts = new Map<Process, Set<() => void>>()
  const takers = new Set<(engine: SimulatedEngine, record: ChannelRecord) => void>()
  let count = 0

  const changed = () => {
    for (const [agent, listeners] of hosts) {
      if (agent.state === 'dead') hosts.delete(agent)
      else world.after(1, () => world.within(agent, () => listeners.forEach((listener) => listener())))
    }
  }
  const tell = (engine: SimulatedEngine, event: string, { record, stream, trackIndex }: HeldChannel): number => {
    const track = stream.tracks[trackIndex]
    const seq = (engine.events.at(-1)?.seq ?? 0) + 1
    const { media_id = '', title = '', artist = '' } = track ?? {}
    const at = Date.now() / 1000
    engine.events.push({ seq, at, event, data: JSON.stringify(record), track: media_id, title, artist, detail: '' })
    changed()
    return seq
  }

  /** Runs in the engine's process: connects, plays, and comes again when it was thrown out. */
  const play = (engine: SimulatedEngine, channel: HeldChannel) => {
    const { mount, source_token: password } = channel.stream.command
    const again = (problem: string) => {
      channel.isConnected = false
      channel.playId = null
      channel.problem = problem
      if (!channel.isGone) setTimeout(connect, random.between(...RECONNECT_MS))
    }
    const connect = () => {
      if (channel.isGone) return
      let isOver = false
      const onEnd = () => {
        if (isOver) return
        isOver = true
        again('Broken pipe')
      }
      const flow = () => (channel.stream.tracks.length > 0 ? 'sound' : 'nothing')
      void icecast.connect({ path: mount, password, from: engine.process, flow, onEnd }).then((outcome) => {
        if (isOver) return
        if (outcome !== 'connected') return again(outcome === 'away' ? 'Connection refused' : '403, Forbidden')
        if (channel.isGone) return icecast.leave(mount, engine.process, password)
        channel.isConnected = true
        channel.problem = ''
        tell(engine, 'connected', channel)
        startTrack()
        watchWay(onEnd, () => isOver)
      })
    }
    const startTrack = () => {
      channel.startedAt = Date.now()
      channel.playId = `${engine.id}.${tell(engine, 'track_started', channel)}`
    }
    /** What can't be sent for long is given up; where Icecast knows nothing of us any more, the next bytes are answered so. */
    const watchWay = (onEnd: () => void, isOver: () => boolean) => {
      let cutSince: number | null = null
      const look = () => {
        if (isOver() || channel.isGone) return
        const isCut = net.isCut(name, icecast.machine) || net.isCut(icecast.machine, name)
        cutSince = isCut ? (cutSince ?? world.now) : null
        const isKnown = icecast.mounts.get(mount)?.from === engine.process
        if ((cutSince !== null && world.now - cutSince > GIVE_UP_MS) || (!isCut && !isKnown)) return onEnd()
        setTimeout(look, 1000)
      }
      setTimeout(look, 1000)
      const nextTrack = () => {
        if (isOver() || channel.isGone) return
        channel.skippedMs = 0
        channel.trackIndex = (channel.trackIndex + 1) % Math.max(1, channel.stream.tracks.length)
        startTrack()
        setTimeout(nextTrack, TRACK_MS)
      }
      setTimeout(nextTrack, TRACK_MS)
    }
    connect()
  }

  const shown = (engine: SimulatedEngine, answers: boolean) =>
    [...engine.channels.values()].map(({ record, ...channel }) => {
      if (!answers) return { ...record, live: null }
      const track = channel.stream.tracks[channel.trackIndex]
      const { recordId, isConnected, problem, playId, startedAt, skippedMs } = channel
      return {
        ...record,
        live: {
          recordId,
          isConnected,
          problem,
          isPlayable: true,
          isBlank: false,
          playedS: Math.round(world.now - channel.addedAt) / 1000,
          track: track
            ? {
                playId,
                mediaId: track.media_id,
                title: track.title,
                artist: track.artist,
                startedAt,
                sentAt: startedAt - skippedMs,
              }
            : null,
        },
      }
    })

  /** Asks an engine: what it does it does when it can, even when nobody waits for its answer any more. */
  const ask = <T>(agent: Process, engineId: string, work: (engine: SimulatedEngine) => T): Promise<T> => {
    const unreachable = () => new AppError('ENGINE_UNREACHABLE', 'The engine does not answer')
    const engine = engines.get(engineId)
    const options = { machine: name, timeoutMs: UNREACHABLE_MS, failure: unreachable }
    return net.call(
      agent,
      () => engine?.process ?? null,
      options,
      () => {
        if (!engines.has(engineId)) throw unreachable()
        return work(engine!)
      },
    )
  }

  const hostOf = (agent: Process): EngineHost => {
    const listeners = new Set<() => void>()
    hosts.set(agent, listeners)
    const answeredAt = new Map<string, number>()

    const look = (engine: SimulatedEngine): Engine => {
      const answers = engine.process.state === 'running'
      const common = { id: engine.id, isOutdated: false, memoryBytes: 0, channelsAdded: engine.added }
      if (answers) {
        answeredAt.set(engine.id, world.now)
        return { ...common, state: 'running', silentMs: 0, channels: shown(engine, true) }
      }
      const at = answeredAt.get(engine.id) ?? world.now
      answeredAt.set(engine.id, at)
      const state = engine.process.state === 'dead' ? 'dead' : 'silent'
      return { ...common, state, silentMs: world.now - at, channels: shown(engine, false) }
    }
    return {
      async list() {
        const isAnyMute = [...engines.values()].some(({ process }) => process.state === 'frozen')
        await pause(isAnyMute ? random.between(300, UNREACHABLE_MS) : random.between(1, 5))
        return [...engines.values()].map(look)
      },
      async start() {
        await pause(random.between(...START_MS))
        if (self.startsFail) throw new AppError('ENGINE_START_FAILED', 'Liquidsoap did not start')
        const id = `${name}-e${++count}`
        const process = world.start(id, name, () => {})
        const engine: SimulatedEngine = {
          id,
          process,
          channels: new Map(),
          events: [],
          added: 0,
          acknowledged: 0,
        }
        process.onDeath.add(changed)
        engines.set(id, engine)
        world.trace.note(world.now, agent.name, `started ${id}`)
        changed()
      },
      async stop(engineId, options) {
        await pause(options?.kill ? random.between(5, 15) : random.between(20, 60))
        const engine = engines.get(engineId)
        engines.delete(engineId)
        if (!engine) return
        world.kill(engine.process)
        world.trace.note(world.now, agent.name, `stopped ${engineId}`)
      },
      add: (engineId, stream) =>
        ask(agent, engineId, (engine) => {
          const { record, command } = stream
          if (!/^(\/w)?\/[a-z0-9-]+$/.test(command.mount) || /\s/.test(command.source_token) || record.channelId.includes('/'))
            throw new AppError('ENGINE_REFUSED', 'The mount or the token is not one that Icecast takes')
          if (engine.channels.has(record.channelId))
            throw new AppError('ENGINE_REFUSED', 'The engine refused the channel (exists)')
          engine.added += 1
          const channel: HeldChannel = {
            record,
            stream,
            recordId: `c${engine.added}`,
            addedAt: world.now,
            isConnected: false,
            isGone: false,
            problem: '',
            trackIndex: 0,
            playId: null,
            startedAt: Date.now(),
            skippedMs: stream.offsetMs ?? 0,
          }
          engine.channels.set(record.channelId, channel)
          for (const taker of takers) taker(engine, record)
          tell(engine, 'added', channel)
          play(engine, channel)
        }),
      load: (engineId, stream) =>
        ask(agent, engineId, (engine) => {
          const channel = engine.channels.get(stream.record.channelId)
          if (!channel) throw new AppError('ENGINE_REFUSED', 'The engine refused the channel (unknown)')
          for (const taker of takers) taker(engine, stream.record)
          channel.record = stream.record
          channel.stream = stream
          channel.trackIndex %= Math.max(1, stream.tracks.length)
        }),
      remove: (engineId, channelId) =>
        ask(agent, engineId, (engine) => {
          const channel = engine.channels.get(channelId)
          if (!channel) return
          channel.isGone = true
          engine.channels.delete(channelId)
          icecast.leave(channel.stream.command.mount, engine.process, channel.stream.command.source_token)
          tell(engine, 'removed', channel)
        }),
      async readEvents(engineId) {
        const engine = engines.get(engineId)
        return engine?.events.filter(({ seq }) => seq > engine.acknowledged).slice(0, 100) ?? []
      },
      async acknowledge(engineId, seq) {
        const engine = engines.get(engineId)
        if (engine) engine.acknowledged = Math.max(engine.acknowledged, seq)
      },
      onChange(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
      async [Symbol.asyncDispose]() {
        hosts.delete(agent)
      },
    }
  }
  const pause = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms))

  const self: Machine = { name, engines, hostOf, startsFail: false, onTake: (listener) => void takers.add(listener) }
  return self
}
