import type { Engine, RunningChannel } from '../src/domain/engine.ts'
import type { PlanLimits, Step } from '../src/domain/plan.ts'
import type { WantedStream } from '../src/domain/wanted.ts'

/** Two channels an engine, one engine kept ready; the engine `idle` has been idle for long enough. */
export const limits: PlanLimits = {
  channelsPerEngine: 2,
  warmEngines: 1,
  silentMs: 6000,
  idleMs: new Map([
    ['idle', 5000],
    ['lately', 4999],
  ]),
  idleGraceMs: 5000,
  channelsPerLife: 50,
  startsPerPass: 2,
  idleMemoryBytes: 1000,
  connectsAtOnce: 10,
  failures: new Map(),
  stuck: new Set(),
  tainted: new Set(),
  heldBack: new Set(),
  waiting: new Set(),
  lingering: new Set(),
  unheard: new Set(),
  mayStartEngine: true,
  mayUpgrade: false,
  startsUnderWay: 0,
}

export const live = { recordId: 'c1', isConnected: true, problem: '', isPlayable: true, isBlank: false, playedS: 1, track: null }
export const running = (stream: WantedStream): RunningChannel => ({ ...stream.record, live })

/** An engine that holds these channels, all of them connected. */
export function anEngine(id: string, streams: readonly WantedStream[] = [], overrides: Partial<Engine> = {}): Engine {
  return {
    id,
    state: 'running',
    silentMs: 0,
    isOutdated: false,
    channelsAdded: streams.length,
    memoryBytes: 100,
    channels: streams.map(running),
    ...overrides,
  }
}

export const wantedOf = (...streams: WantedStream[]) => new Map(streams.map((stream) => [stream.record.channelId, stream]))
/** Steps without their streams, for reading. */
export const brief = (steps: readonly Step[]) =>
  steps.map((step) =>
    [
      step.kind,
      'engineId' in step && step.engineId,
      'channelId' in step ? step.channelId : 'stream' in step && step.stream.record.channelId,
      'reason' in step && step.reason,
    ]
      .filter(Boolean)
      .join(' '),
  )

export const idle = anEngine('idle')
