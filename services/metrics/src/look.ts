import { messageOf, startLoop } from '@skipcast/runtime'
import type { Sight } from './domain/readings.ts'
import type { IcecastStatistics } from './ports.ts'
import type { MetricsTelemetry } from './telemetry.ts'

/** One Icecast, looked at again and again. */
export interface Looking extends AsyncDisposable {
  readonly sight: Sight
  /** True once it has been asked, with or without success. */
  readonly hasLooked: boolean
}

export interface LookTimes {
  readonly everyMs: number
  /** How long what it said last is taken for what is: one lost answer shall not make its listeners vanish. */
  readonly holdMs: number
}

export interface LookPorts {
  readonly telemetry: Pick<MetricsTelemetry, 'looked' | 'lookFailed'>
  /** In ms, of a clock that never goes back. */
  readonly steadyMs: () => number
  /** Called after each look, a failed one too. */
  readonly onLook: () => void
}

/**
 * Asks one Icecast at a fixed rate, never twice at once, whatever the others do. A slow answer is followed by the next question at once.
 * Closing gives up the question that runs.
 */
export function keepLooking(icecast: IcecastStatistics, { everyMs, holdMs }: LookTimes, ports: LookPorts): Looking {
  const closing = new AbortController()
  const { name } = icecast
  let sight: Sight = { icecast: name, mounts: null }
  let hasLooked = false
  let goodUntil = 0

  const pass = async () => {
    const startedAt = ports.steadyMs()
    const mounts = await icecast.read(closing.signal)
    const now = ports.steadyMs()
    sight = { icecast: name, mounts: new Map(mounts.map((entry) => [entry.mount, entry])) }
    goodUntil = now + holdMs
    ports.telemetry.looked(name, now - startedAt)
    done()
  }
  const fail = (error: unknown) => {
    if (closing.signal.aborted) return
    if (ports.steadyMs() > goodUntil) sight = { icecast: name, mounts: null }
    ports.telemetry.lookFailed(name, messageOf(error))
    done()
  }
  const done = () => {
    hasLooked = true
    ports.onLook()
  }
  const loop = startLoop(pass, { everyMs, pace: 'rate', onError: fail })
  return {
    get sight() {
      return sight
    },
    get hasLooked() {
      return hasLooked
    },
    [Symbol.asyncDispose]() {
      closing.abort()
      return loop[Symbol.asyncDispose]()
    },
  }
}
