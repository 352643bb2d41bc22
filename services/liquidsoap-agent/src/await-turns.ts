import { positionAt } from './domain/position.ts'
import type { Seat } from './domain/seat.ts'
import type { Clock } from './ports.ts'
import { STARTING_MS, type LastPlay } from './resume.ts'

/** Streams that begin here once the track has ended that is heard elsewhere. */
export interface Turns extends Disposable {
  /** The channels of these whose turn has not come. `nudge` is called when the first of them comes. */
  waiting(seats: ReadonlyMap<string, Seat>): ReadonlySet<string>
}

/**
 * `lastOf`: what was heard of a channel here last. Who has been heard in an epoch waits for nobody any more. However wrong clocks are, ours or that of
 * who gave the command, nobody waits longer than the rest of the track was when it was given.
 */
export function awaitTurns(clock: Clock, lastOf: (channelId: string) => LastPlay | null, nudge: () => void): Turns {
  let timer: NodeJS.Timeout | undefined
  /** By channel: the epoch whose turn is awaited, and since when (steady). */
  let awaited = new Map<string, { readonly epoch: number; readonly sinceMs: number }>()
  const restMs = (channelId: string, { start }: Seat, turn: Turn) => {
    const before = awaited.get(channelId)
    const sinceMs = before?.epoch === start.epoch ? before.sinceMs : clock.steadyMs()
    const byClocks = turn.endsAt - STARTING_MS - clock.wallMs()
    const atMost = turn.restMs - STARTING_MS - (clock.steadyMs() - sinceMs)
    return { epoch: start.epoch, sinceMs, ms: Math.min(byClocks, atMost) }
  }
  return {
    waiting(seats) {
      const turns = new Map(
        [...seats].flatMap(([channelId, seat]) => {
          const turn = lastOf(channelId)?.epoch === seat.start.epoch ? null : turnOf(seat)
          return turn ? [[channelId, restMs(channelId, seat, turn)] as const] : []
        }),
      )
      awaited = turns
      const due = [...turns].filter(([, { ms }]) => ms > 0)
      clearTimeout(timer)
      if (due.length > 0) timer = setTimeout(nudge, Math.min(...due.map(([, { ms }]) => ms)))
      return new Set(due.map(([channelId]) => channelId))
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  }
}

/** When a track ends, in ms since the Unix epoch, and how much of it was left as the command was given. */
interface Turn {
  readonly endsAt: number
  readonly restMs: number
}

/** The end of the track that was heard as the command was given; null: there is nothing to wait for. */
function turnOf({ role, start }: Seat): Turn | null {
  const { takes_over, server_id, playing, occurred_at } = start
  if (role !== 'primary' || takes_over?.at !== 'track_end' || takes_over.server_id === server_id || !playing) return null
  const place = positionAt(occurred_at, start, playing)
  return place && { endsAt: place.endsAt, restMs: place.endsAt - occurred_at }
}
