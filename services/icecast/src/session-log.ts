import type { Bus } from '@skipcast/bus'
import { stamp, type ListenerSession, type StreamCommand } from '@skipcast/contracts'
import { messageOf, startLoop } from '@skipcast/runtime'
import { pseudonym } from './domain/pseudonym.ts'
import type { SessionReport } from './domain/session-report.ts'
import type { Telemetry } from './telemetry.ts'

const TRY_AGAIN_MS = 5000
const MOST_PER_BATCH = 500
/** Sessions that wait for the bus, in memory; beyond it the oldest are dropped, and that is told. */
const MOST_WAITING = 10_000

/**
 * Tells the bus of listeners' connections that ended, our own monitors' and those of no known channel left out. Telling never holds anybody up;
 * disposing makes one last try.
 */
export interface SessionLog extends AsyncDisposable {
  ended(session: SessionReport): void
}

export function sessionLog(options: {
  bus: Pick<Bus, 'publish'>
  origin: { readonly application: string; readonly environment: string }
  commandAt: (mount: string) => StreamCommand | undefined
  /** For pseudonyms. */
  secret: string
  now: () => number
  telemetry: Telemetry
}): SessionLog {
  const { telemetry } = options
  const waiting: ListenerSession[] = []
  let dropped = 0

  async function pass(): Promise<void> {
    if (dropped > 0) telemetry.sessionsLost(dropped)
    dropped = 0
    while (waiting.length > 0) {
      const batch = waiting.splice(0, MOST_PER_BATCH)
      const records = batch.map((value) => ({ key: value.channel_id, value }))
      await options.bus.publish('userInteractions', records).catch((error: unknown) => {
        waiting.unshift(...batch)
        throw error
      })
    }
  }
  const loop = startLoop(pass, {
    everyMs: TRY_AGAIN_MS,
    onError: (error) => telemetry.sessionsWait(waiting.length, messageOf(error)),
  })

  return {
    ended(report) {
      const { sessionId, durationMs, isMonitor } = report
      const command = options.commandAt(report.mount)
      if (!command || isMonitor) return
      if (waiting.length >= MOST_WAITING && waiting.shift()) dropped += 1
      waiting.push({
        ...stamp(options.origin, options.now(), `listener-session-${sessionId}`),
        event: 'listener_session',
        channel_id: command.channel_id,
        channel_slug: command.channel_slug,
        session_id: sessionId,
        duration_s: Math.floor(durationMs / 1000),
        listener: pseudonym(options.secret, report, options.now()),
      })
      loop.nudge()
    },
    async [Symbol.asyncDispose]() {
      await loop[Symbol.asyncDispose]()
      await pass().catch((error: unknown) => telemetry.sessionsWait(waiting.length, messageOf(error)))
    },
  }
}
