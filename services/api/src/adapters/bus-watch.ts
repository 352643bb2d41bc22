import type { Bus } from '@skipcast/bus'
import { startLoop } from '@skipcast/runtime'

const ASK_EVERY_MS = 500
/** Far less than a server may be silent, so that an outage of ours is never taken for one of theirs. */
const ANSWER_WITHIN_MS = 1000

/** Whether we can hear anybody at all. */
export interface BusWatch extends AsyncDisposable {
  /** Since when the bus answers (performance.now()); null while it does not. */
  readonly hearingSince: number | null
  /** Since when it does not answer (ms since the epoch); null while it does. Until its first answer, since we ask. */
  readonly deafSince: number | null
}

/** Asks the bus again and again. */
export function busWatch(bus: Pick<Bus, 'ping'>): BusWatch {
  let hearingSince: number | null = null
  let deafSince: number | null = Date.now()
  const hear = () => {
    hearingSince ??= performance.now()
    deafSince = null
  }
  const miss = () => {
    hearingSince = null
    deafSince ??= Date.now()
  }
  const ask = async () => {
    const late = setTimeout(miss, ANSWER_WITHIN_MS)
    try {
      await bus.ping()
      hear()
    } finally {
      clearTimeout(late)
    }
  }
  const loop = startLoop(ask, { everyMs: ASK_EVERY_MS, onError: miss })
  return {
    get hearingSince() {
      return hearingSince
    },
    get deafSince() {
      return deafSince
    },
    [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose](),
  }
}
