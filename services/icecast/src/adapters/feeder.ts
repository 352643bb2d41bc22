import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Sound } from '../domain/plan.ts'
import type { Feeder } from '../ports.ts'
import type { Telemetry } from '../telemetry.ts'
import { fedMounts } from './fed-mounts.ts'
import { silenceClock } from './silence-clock.ts'
import { slots } from './slots.ts'
import { connectSource } from './source-connection.ts'

/** Icecast's backlog is 5, compiled in: more that knock at once wait a second for their SYN to be sent again. */
const MOST_KNOCKING = 4
/** Each attempt is a question to this role too; at 100 waiting, Icecast turns listeners away. */
const MOST_ATTEMPTS = 32

/**
 * One paced clock for all mounts, and one connection per mount, each trying on its own within common limits. The password is made at random for this process: no other source can have it, and nothing of it outlives the process.
 */
export function feeder(options: { host: string; port: number; sampleRate: number; telemetry: Telemetry }): Feeder {
  const { telemetry } = options
  const password = randomBytes(24).toString('base64url')
  const knock = slots(MOST_KNOCKING)
  const attempt = slots(MOST_ATTEMPTS)

  const tryOnce = (mount: string, sound: Sound, signal: AbortSignal) =>
    attempt(async () => {
      const { outcome } = await knock(async () => {
        const connecting = connectSource({ ...options, ...sound, mount, password, head: clock.head(sound) }, signal)
        await connecting.opened
        return connecting
      })
      return outcome
    })
  const fed = fedMounts(tryOnce, telemetry)

  const clock = silenceClock(options.sampleRate, () => {
    for (const mount of fed.all()) mount.write(clock.frames(mount.sound))
  })

  return {
    feed: fed.feed,
    leave: fed.leave,
    nudge: fed.nudge,
    isConnected: fed.isConnected,
    isOwnPassword(given) {
      const [ours, theirs] = [Buffer.from(password), Buffer.from(given)]
      return ours.length === theirs.length && timingSafeEqual(ours, theirs)
    },
    async [Symbol.asyncDispose]() {
      clock.stop()
      fed.leaveAll()
    },
  }
}
