import { AsyncLocalStorage } from 'node:async_hooks'
import type { Random } from './random.ts'
import { timeline, type Entry } from './timeline.ts'
import type { Trace } from './trace.ts'

/**
 * One run of one program on one machine, from its start to its death.
 * - `running`: its timers fire, what arrives is taken
 * - `frozen`: both wait for it to wake
 * - `dead`: nothing of it ever happens again: no timer, no answer, no line of code after the `await` that it stood at
 */
export interface Process {
  readonly name: string
  readonly machine: string
  state: 'running' | 'frozen' | 'dead'
  /** When it was started, or woke last. */
  ranSince: number
  /** What waits for it to wake. */
  readonly waiting: (() => void)[]
  /** What the system does when it dies: closes its connections, for example. */
  readonly onDeath: Set<() => void>
}

/** Simulated time, and the processes that live in it. */
export interface World {
  /** Milliseconds since the run began. */
  readonly now: number
  readonly random: Random
  readonly trace: Trace
  /** Outside of all processes: what networks, disks and faults do. */
  after(delayMs: number, task: () => void): Entry
  /** A timer of a process. */
  timer(process: Process, delayMs: number, task: () => void): Entry
  start(name: string, machine: string, main: () => void): Process
  /** Does this in the process: now, when it wakes, or never. */
  within(process: Process, task: () => void): void
  /** Looks at what a living process would say now. Null of one that can't be asked. */
  peek<T>(process: Process, look: () => T): T | null
  freeze(process: Process): void
  wake(process: Process): void
  kill(process: Process): void
  /** How far a machine's clock is off. */
  readonly clockErrors: Map<string, number>
  /** Runs until `isOver`, which is asked after each event. Rejects with what it throws. */
  run(isOver: () => boolean): Promise<void>
}

/** Simulated time begins here, on every clock. */
export const EPOCH_MS = Date.UTC(2026, 0, 1)

/** Which process runs: whatever it awaits, it is still that one that goes on. */
export const running = new AsyncLocalStorage<Process | null>()

/** So many events, then the real event loop has its turn. */
const EVENTS_PER_TURN = 500

export function world(options: { random: Random; trace: Trace; drain: () => void }): World {
  const { trace, drain } = options
  const events = timeline()
  const clockErrors = new Map<string, number>()
  let now = 0

  const self: World = {
    get now() {
      return now
    },
    random: options.random,
    trace,
    clockErrors,
    after: (delayMs, task) => events.put(now + Math.max(0, delayMs), task),
    timer: (process, delayMs, task) => events.put(now + Math.max(0, delayMs), () => self.within(process, task)),
    start(name, machine, main) {
      const process: Process = { name, machine, state: 'running', ranSince: now, waiting: [], onDeath: new Set() }
      self.after(0, () => self.within(process, main))
      return process
    },
    within(process, task) {
      if (process.state === 'frozen') process.waiting.push(task)
      else if (process.state === 'running') running.run(process, task)
    },
    peek: (process, look) => (process.state === 'running' ? running.run(process, look) : null),
    freeze(process) {
      if (process.state === 'running') process.state = 'frozen'
    },
    wake(process) {
      if (process.state !== 'frozen') return
      process.state = 'running'
      process.ranSince = now
      for (const task of process.waiting.splice(0)) self.after(0, () => self.within(process, task))
    },
    kill(process) {
      if (process.state === 'dead') return
      process.state = 'dead'
      process.waiting.length = 0
      for (const task of process.onDeath) self.after(0, task)
    },
    run(isOver) {
      const over = Promise.withResolvers<void>()
      const turn = () => {
        try {
          for (let count = 0; count < EVENTS_PER_TURN; count++) {
            const entry = events.take()
            if (!entry) throw new Error('Nothing is left to happen')
            now = entry.at
            entry.task!()
            drain()
            if (isOver()) return over.resolve()
          }
          realTurn(turn)
        } catch (error) {
          over.reject(error)
        }
      }
      realTurn(turn)
      return over.promise
    },
  }
  return self
}

/** The real one, whatever becomes of the global name. */
const realTurn = setImmediate
