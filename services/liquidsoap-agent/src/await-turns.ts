import type { StartStream } from '@skipcast/contracts'
import { positionAt } from './domain/position.ts'
import type { Seat } from './domain/seat.ts'
import type { Clock } from './ports.ts'
import { STARTING_MS, type LastPlay } from './resume.ts'

/** Streams that begin here once the track has ended that is heard elsewhere. */
export interface Turns extends Disposable {
  /** The channels of these whose turn has not come. `nudge` is called when the first of them comes. */
  waiting(seats: ReadonlyMap<string, Seat>): ReadonlySet<string>
}

/** `lastOf`: what was heard of a channel here last. Who has been heard in an epoch waits for nobody any more. */
export function awaitTurns(
  clock: Pick<Clock, 'wallMs'>,
  lastOf: (channelId: string) => LastPlay | null,
  nudge: () => void,
): Turns {
  let timer: NodeJS.Timeout | undefined
  return {
    waiting(seats) {
      const now = clock.wallMs()
      const turns = [...seats]
        .filter(([channelId, { start }]) => lastOf(channelId)?.epoch !== start.epoch)
        .map(([channelId, seat]) => ({ channelId, at: turnAt(seat) - STARTING_MS }))
        .filter(({ at }) => at > now)
      clearTimeout(timer)
      if (turns.length > 0) timer = setTimeout(nudge, Math.min(...turns.map(({ at }) => at)) - now)
      return new Set(turns.map(({ channelId }) => channelId))
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  }
}

/** When the track ends that was heard as the command was given; -Infinity: there is nothing to wait for. */
function turnAt({ role, start }: Seat): number {
  const { takes_over, server_id, playing } = start
  if (role !== 'primary' || takes_over?.at !== 'track_end' || takes_over.server_id === server_id || !playing) return -Infinity
  return endOf(start, playing)
}

function endOf(start: StartStream, playing: NonNullable<StartStream['playing']>): number {
  return positionAt(start.occurred_at, start, playing)?.endsAt ?? -Infinity
}
