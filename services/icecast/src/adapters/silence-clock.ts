import { silentFrames } from '@skipcast/audio'

/** Frames are handed out in pairs: half the work, and still a piece every 52 ms. */
const FRAMES_PER_TICK = 2
/** After a stall of this process, no more than this is caught up; the rest of the lost time is left out. */
const MOST_CAUGHT_UP_MS = 1000

export interface SilenceClock {
  /** The next frames of this bitrate; the same buffer for all who ask during one tick. */
  frames(bitrateKbps: number): Buffer
}

/**
 * Calls `onTick` as time passes, each time with as many frames as fit into the time since the last call: what goes out
 * in the long run is real time, however late timers are. Returns how to stop.
 */
export function silenceClock(sampleRate: number, onTick: (clock: SilenceClock) => void): () => void {
  const makers = new Map<number, ReturnType<typeof silentFrames>>()
  const makerOf = (bitrateKbps: number) => {
    const maker = makers.get(bitrateKbps) ?? silentFrames({ bitrateKbps, sampleRate })
    makers.set(bitrateKbps, maker)
    return maker
  }
  const { frameMs } = silentFrames({ bitrateKbps: 128, sampleRate })
  let sentUntil = performance.now()

  const timer = setInterval(() => {
    const now = performance.now()
    sentUntil = Math.max(sentUntil, now - MOST_CAUGHT_UP_MS)
    const count = Math.floor((now - sentUntil) / frameMs)
    if (count === 0) return
    sentUntil += count * frameMs
    const made = new Map<number, Buffer>()
    onTick({
      frames(bitrateKbps) {
        const maker = makerOf(bitrateKbps)
        const buffer = made.get(bitrateKbps) ?? Buffer.concat(Array.from({ length: count }, () => maker.next()))
        made.set(bitrateKbps, buffer)
        return buffer
      },
    })
  }, FRAMES_PER_TICK * frameMs)
  return () => clearInterval(timer)
}
