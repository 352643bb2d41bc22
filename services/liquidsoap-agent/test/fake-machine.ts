import { AppError } from '@skipcast/runtime'
import type { Engine, RunningChannel } from '../src/domain/engine.ts'
import type { EngineEvent } from '../src/domain/engine-event.ts'
import type { WantedStream } from '../src/domain/wanted.ts'
import type { EngineHost } from '../src/ports.ts'

interface FakeEngine {
  state: Engine['state']
  added: number
  acknowledged: number
  readonly channels: Map<string, RunningChannel>
  readonly events: EngineEvent[]
}

/** A machine without processes, that behaves as EngineHost's contract says. */
export interface FakeMachine {
  /** Opens it, as one agent would. */
  open(): EngineHost
  kill(engineId: string): void
  /** Stops answering, as a frozen engine does. */
  freeze(engineId: string, silentMs: number): void
  /** While set, engines fail to start. */
  failStarts(isFailing: boolean): void
  /** While cut, nobody reaches it, as a host behind a lost connection. */
  cut(isCut: boolean): void
  /** While set, no plan can be written. */
  fillDisk(isFull: boolean): void
}

export function fakeMachine(): FakeMachine {
  const engines = new Map<string, FakeEngine>()
  const silences = new Map<string, number>()
  const listeners = new Set<() => void>()
  let count = 0
  let startsFail = false
  let isCut = false
  const beReached = () => {
    if (isCut) throw new AppError('HOST_UNREACHABLE', 'The machine can not be reached')
  }
  let isDiskFull = false
  const changed = () => {
    for (const listener of listeners) listener()
  }

  const reach = (engineId: string): FakeEngine => {
    const engine = engines.get(engineId)
    if (engine?.state !== 'running') throw new AppError('ENGINE_UNREACHABLE', 'The engine does not answer')
    return engine
  }
  const tell = (engine: FakeEngine, event: string, { record, tracks }: Pick<WantedStream, 'record' | 'tracks'>) => {
    const { media_id: track, title, artist } = tracks[0] ?? { media_id: '', title: '', artist: '' }
    const seq = (engine.events.at(-1)?.seq ?? 0) + 1
    engine.events.push({ seq, at: 1, event, data: JSON.stringify(record), track, title, artist, detail: '' })
    changed()
  }

  return {
    kill(engineId) {
      engines.get(engineId)!.state = 'dead'
      changed()
    },
    freeze(engineId, silentMs) {
      engines.get(engineId)!.state = 'silent'
      silences.set(engineId, silentMs)
    },
    failStarts: (isFailing) => void (startsFail = isFailing),
    cut: (to) => void (isCut = to),
    fillDisk: (isFull) => void (isDiskFull = isFull),
    open: () => ({
      async list() {
        beReached()
        return [...engines].map(([id, { state, added, channels }]) => ({
          id,
          state,
          silentMs: state === 'running' ? 0 : (silences.get(id) ?? 0),
          isOutdated: false,
          channelsAdded: added,
          memoryBytes: 0,
          channels: [...channels.values()].map((channel) => (state === 'running' ? channel : { ...channel, live: null })),
        }))
      },
      async start() {
        beReached()
        if (startsFail) throw new AppError('ENGINE_START_FAILED', 'Liquidsoap did not start')
        engines.set(`e${++count}`, { state: 'running', added: 0, acknowledged: 0, channels: new Map(), events: [] })
        changed()
      },
      async stop(engineId) {
        engines.delete(engineId)
      },
      async add(engineId, stream) {
        beReached()
        const { channelId } = stream.record
        if (
          !/^(\/w)?\/[a-z0-9-]+$/.test(stream.command.mount) ||
          /\s/.test(stream.command.source_token) ||
          channelId.includes('/')
        ) {
          throw new AppError('ENGINE_REFUSED', 'The mount or the token is not one that Icecast takes')
        }
        if (isDiskFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
        const engine = reach(engineId)
        engine.added += 1
        const [first] = stream.tracks
        const track = first
          ? {
              playId: null,
              mediaId: first.media_id,
              title: first.title,
              artist: first.artist,
              startedAt: 1,
              sentAt: 1 - (stream.offsetMs ?? 0),
            }
          : null
        const live = {
          recordId: `c${engine.added}`,
          isConnected: true,
          problem: '',
          isPlayable: true,
          isBlank: false,
          playedS: 1,
          track,
        }
        engine.channels.set(channelId, { ...stream.record, live })
        for (const event of ['added', 'connected', 'track_started']) tell(engine, event, stream)
      },
      async load(engineId, stream) {
        const engine = reach(engineId)
        const before = engine.channels.get(stream.record.channelId)
        if (!before) throw new AppError('ENGINE_REFUSED', 'The engine refused the channel (unknown)')
        engine.channels.set(stream.record.channelId, { ...before, ...stream.record })
      },
      async remove(engineId, channelId) {
        const engine = reach(engineId)
        const channel = engine.channels.get(channelId)
        if (channel) tell(engine, 'removed', { record: channel, tracks: [] })
        engine.channels.delete(channelId)
      },
      async readEvents(engineId) {
        const engine = engines.get(engineId)
        return engine?.events.filter(({ seq }) => seq > engine.acknowledged) ?? []
      },
      async acknowledge(engineId, seq) {
        engines.get(engineId)!.acknowledged = seq
      },
      onChange(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
      async [Symbol.asyncDispose]() {},
    }),
  }
}
