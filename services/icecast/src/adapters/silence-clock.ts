import { silence, type Silence } from '@skipcast/audio'
import type { Sound } from '../domain/plan.ts'

/** Two frames of MP3 at once: half the work, and still a piece every 52 ms. */
const TICK_MS = 52
/** After a stall of this process, no more than this is caught up; the rest of the lost time is left out. */
const MOST_CAUGHT_UP_MS = 1000

export interface SilenceClock {
  /** What a connection begins with. */
  head(sound: Sound): Buffer
  /** During a tick: the frames of this sound that are due; the same buffer for all who ask. */
  frames(sound: Sound): Buffer
  stop(): void
}

/**
 * Calls `onTick` as time passes; then each sound has as many frames as fit into the time since the last call: what goes out
 * in the long run is real time, however late timers are.
 */
export function silenceClock(sampleRate: number, onTick: () => void): SilenceClock {
  const streams = new Map<string, { readonly source: Silence; sentUntil: number; madeAt: number; made: Buffer }>()
  let now = performance.now()

  const streamOf = ({ format, bitrateKbps }: Sound) => {
    const key = `${format} ${bitrateKbps}`
    const stream = streams.get(key) ?? {
      source: silence({ format, bitrateKbps, sampleRate }),
      sentUntil: now - TICK_MS,
      madeAt: -Infinity,
      made: Buffer.alloc(0),
    }
    streams.set(key, stream)
    return stream
  }

  const timer = setInterval(() => {
    now = performance.now()
    onTick()
  }, TICK_MS)
  return {
    head: (sound) => streamOf(sound).source.head,
    frames(sound) {
      const stream = streamOf(sound)
      if (stream.madeAt === now) return stream.made
      const { source } = stream
      stream.sentUntil = Math.max(stream.sentUntil, now - MOST_CAUGHT_UP_MS)
      const count = Math.floor((now - stream.sentUntil) / source.frameMs)
      stream.sentUntil += count * source.frameMs
      stream.madeAt = now
      stream.made = Buffer.concat(Array.from({ length: count }, () => source.next()))
      return stream.made
    },
    stop: () => clearInterval(timer),
  }
}
