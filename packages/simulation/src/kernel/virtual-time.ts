import { createRequire, syncBuiltinESMExports } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import { EPOCH_MS, running, type World } from './world.ts'
import type { Entry } from './timeline.ts'

type Task = (...args: unknown[]) => void

/**
 * From now on, in this thread, `setTimeout` and its kin, `node:timers/promises`, `AbortSignal.timeout`, `Date`, `performance.now` and
 * `Math.random` are those of the world at hand, and of the process in it that calls. Must be called before any module is loaded that takes one of
 * them at its loading. Returns how to empty the queue of promises: after it, all that could go on has gone on.
 */
export function installVirtualTime(worldAtHand: () => World | null): { drain: () => void } {
  const wallNow = () => {
    const world = worldAtHand()
    if (!world) return EPOCH_MS
    const process = running.getStore()
    return Math.floor(EPOCH_MS + world.now + (process ? (world.clockErrors.get(process.machine) ?? 0) : 0))
  }
  const timer = (task: () => void, delayMs: number): Entry => {
    const world = worldAtHand()
    if (!world) throw new Error('There is no time before there is a world')
    const process = running.getStore()
    return process ? world.timer(process, delayMs, task) : world.after(delayMs, task)
  }

  const makeHandle = (start: (fire: () => void) => Entry, task: () => void, repeats: boolean) => {
    let entry: Entry | null = null
    const fire = () => {
      entry = repeats ? start(fire) : null
      task()
    }
    entry = start(fire)
    const self = {
      unref: () => self,
      ref: () => self,
      hasRef: () => true,
      close() {
        if (entry) entry.task = null
        entry = null
      },
      [Symbol.dispose]: () => self.close(),
    }
    return self
  }
  const setTimer = (task: Task, delayMs = 0, ...args: unknown[]) =>
    makeHandle(
      (fire) => timer(fire, atLeastOne(delayMs)),
      () => task(...args),
      false,
    )
  const setRepeated = (task: Task, delayMs = 0, ...args: unknown[]) =>
    makeHandle(
      (fire) => timer(fire, atLeastOne(delayMs)),
      () => task(...args),
      true,
    )
  const setNow = (task: Task, ...args: unknown[]) =>
    makeHandle(
      (fire) => timer(fire, 0),
      () => task(...args),
      false,
    )
  const clear = (given: { close(): void } | undefined) => given?.close()

  Object.assign(globalThis, {
    setTimeout: setTimer,
    setInterval: setRepeated,
    setImmediate: setNow,
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: clear,
  })

  const sleeper =
    (delayOf: (delayMs: number) => number) =>
    (delayMs = 1, value?: unknown, options: { signal?: AbortSignal } = {}) =>
      new Promise((resolve, reject) => {
        const { signal } = options
        if (signal?.aborted) return reject(abortError(signal))
        const sleeping = makeHandle(
          (fire) => timer(fire, delayOf(delayMs)),
          () => {
            signal?.removeEventListener('abort', stop)
            resolve(value)
          },
          false,
        )
        const stop = () => {
          sleeping.close()
          reject(abortError(signal!))
        }
        signal?.addEventListener('abort', stop, { once: true })
      })
  const timersPromises = createRequire(import.meta.url)('node:timers/promises') as Record<string, unknown>
  const sleepNow = sleeper(() => 0)
  timersPromises['setTimeout'] = sleeper((delayMs) => Math.max(1, delayMs))
  timersPromises['setImmediate'] = (value?: unknown, options?: { signal?: AbortSignal }) => sleepNow(0, value, options)
  syncBuiltinESMExports()

  AbortSignal.timeout = (delayMs) => {
    const controller = new AbortController()
    setTimer(() => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')), delayMs)
    return controller.signal
  }

  const RealDate = Date
  class SimulatedDate extends RealDate {
    constructor(...args: [] | [number | string | Date]) {
      if (args.length === 0) super(wallNow())
      else super(...(args as [number]))
    }
    static override now = wallNow
  }
  globalThis.Date = SimulatedDate as DateConstructor
  Object.defineProperty(performance, 'now', { value: () => worldAtHand()?.now ?? 0, configurable: true })
  Math.random = () => worldAtHand()?.random.next() ?? 0.5

  return { drain: promiseQueue() }
}

/** As Node has it: no time, or none at all, is one millisecond. */
function atLeastOne(delayMs: number | undefined): number {
  return delayMs !== undefined && delayMs >= 1 ? delayMs : 1
}

function abortError(signal: AbortSignal): Error {
  return Object.assign(new Error('The operation was aborted', { cause: signal.reason }), {
    name: 'AbortError',
    code: 'ABORT_ERR',
  })
}

/** V8 empties its queue of promises by itself only when no code runs; it can be asked to, between two events. */
function promiseQueue(): () => void {
  setFlagsFromString('--allow-natives-syntax')
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- this syntax can be read only once the flag is set
  return new Function('%PerformMicrotaskCheckpoint()') as () => void
}
