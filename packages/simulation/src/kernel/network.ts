import type { Process, World } from './world.ts'

/** Between machines: what is said takes its time, and may not come through. */
export interface Network {
  /** From now on nothing comes through from one machine to another. Returns how to mend it. */
  cut(from: string, to: string): () => void
  isCut(from: string, to: string): boolean
  /** A machine lost its power: what it had sent and nobody had got yet is lost. */
  loseSent(machine: string): void
  /** How many times as long everything takes now. */
  slowness: number
  /**
   * Brings something over. While the way is cut it is sent again and again, as TCP does, so it comes late; after `patienceMs` it is lost. `waits`: each time
   * after twice as long as before, so that it may come long after the way is mended.
   */
  travel(
    from: string,
    to: string,
    arrive: () => void,
    options?: { patienceMs?: number; waits?: boolean; lost?: () => void },
  ): void
  /**
   * A question to another process and its answer. `failure` makes what it rejects with: when nobody is there, when the process died over it,
   * or when there was no answer in time, whether or not the work was done. What was given up never arrives, unless it `lingers`.
   */
  call<T>(
    from: Process,
    to: () => Process | null,
    options: { machine: string; timeoutMs: number; lingers?: boolean; failure: (why: 'refused' | 'died' | 'late') => Error },
    work: () => T | Promise<T>,
  ): Promise<T>
}

const RETRANSMIT_MS = 200
const PATIENCE_MS = 10_000
const LINGER_MS = 60_000

export function network(world: World): Network {
  const random = world.random.fork('network')
  const cuts = new Map<string, number>()
  const losses = new Map<string, number>()
  const isCut = (from: string, to: string) => from !== to && (cuts.get(`${from}>${to}`) ?? 0) > 0
  const latencyMs = (from: string, to: string) =>
    from === to ? random.between(0.05, 0.5) : random.between(0.3, 3) * self.slowness

  const self: Network = {
    slowness: 1,
    loseSent: (machine) => void losses.set(machine, (losses.get(machine) ?? 0) + 1),
    isCut,
    cut(from, to) {
      const way = `${from}>${to}`
      cuts.set(way, (cuts.get(way) ?? 0) + 1)
      let isMended = false
      return () => {
        if (isMended) return
        isMended = true
        cuts.set(way, cuts.get(way)! - 1)
      }
    },
    travel(from, to, arrive, { patienceMs = PATIENCE_MS, waits = false, lost } = {}) {
      let pauseMs = RETRANSMIT_MS
      const deadline = world.now + patienceMs
      const sentWithin = losses.get(from)
      const attempt = () => {
        if (losses.get(from) !== sentWithin) return lost?.()
        if (!isCut(from, to)) return arrive()
        if (world.now >= deadline) return lost?.()
        world.after(pauseMs * random.between(1, 2), attempt)
        if (waits) pauseMs *= 2
      }
      world.after(latencyMs(from, to), attempt)
    },
    call(from, to, { machine, timeoutMs, lingers = false, failure }, work) {
      return new Promise((resolve, reject) => {
        let isSettled = false
        const settle = (how: () => void) => {
          if (isSettled) return
          world.within(from, () => {
            if (isSettled) return
            isSettled = true
            limit.task = null
            how()
          })
        }
        /** Who gives up hangs up. What a dead process had sent may still arrive. */
        let hasHungUp = false
        const limit = world.timer(from, timeoutMs, () => {
          hasHungUp = !lingers
          settle(() => reject(failure('late')))
        })
        const answer = (how: () => void) => self.travel(machine, from.machine, () => settle(how))
        const arrive = () => {
          if (hasHungUp) return
          const target = to()
          if (!target || target.state === 'dead') return answer(() => reject(failure('refused')))
          const died = () => answer(() => reject(failure('died')))
          target.onDeath.add(died)
          world.within(target, () => {
            Promise.resolve()
              .then(work)
              .then(
                (value) => answer(() => resolve(value)),
                (error: unknown) => answer(() => reject(error)),
              )
              .finally(() => target.onDeath.delete(died))
          })
        }
        self.travel(from.machine, machine, arrive, { patienceMs: lingers ? LINGER_MS : timeoutMs, waits: lingers })
      })
    },
  }
  return self
}
