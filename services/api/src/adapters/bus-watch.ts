import type { Bus } from '@skipcast/bus'
import { messageOf, startLoop, type HealthBoard } from '@skipcast/runtime'

const ASK_EVERY_MS = 1000

/** Whether we can hear anybody at all. */
export interface BusWatch extends AsyncDisposable {
  /** Since when the bus answers (performance.now()); null while it does not. */
  readonly hearingSince: number | null
}

/** Asks the bus again and again, and tells `health` as `bus`. */
export function busWatch(bus: Bus, health: HealthBoard): BusWatch {
  let hearingSince: number | null = null
  const ask = async () => {
    await bus.ping()
    hearingSince ??= performance.now()
    health.report('bus', null)
  }
  const loop = startLoop(ask, {
    everyMs: ASK_EVERY_MS,
    onError(error) {
      hearingSince = null
      health.report('bus', messageOf(error))
    },
  })
  return {
    get hearingSince() {
      return hearingSince
    },
    [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose](),
  }
}
