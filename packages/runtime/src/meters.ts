import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/**
 * What a process counts and measures, in one place per process; `/metrics` shows it to Prometheus. Names begin with `skipcast_` and end with
 * their unit. A name is registered once. Labels are of few values: never an id of a channel, never text of a person.
 */
export interface Meters {
  counter<L extends string>(name: string, help: string, labels?: readonly L[]): Counter<L>
  /** Read when somebody asks. What `read` rejects with costs this gauge's values alone. */
  gauge(name: string, help: string, labels: readonly string[], read: () => Reading[] | Promise<Reading[]>): void
  /** In seconds. */
  histogram<L extends string>(name: string, help: string, labels: readonly L[]): Histogram<L>
  /** All of it, as Prometheus reads it. */
  show(): Promise<{ readonly contentType: string; readonly text: string }>
}

interface Reading {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

const BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Nothing in it runs by itself: no timers, so that it costs an idle process nothing. */
export function meters(): Meters {
  const registry = new Registry()
  const registers = [registry]
  const board: Meters = {
    counter: (name, help, labels = []) => new Counter({ name, help, labelNames: [...labels], registers }),
    gauge(name, help, labels, read) {
      // oxlint-disable-next-line no-new -- it is reached through the registry
      new Gauge({
        name,
        help,
        labelNames: [...labels],
        registers,
        async collect() {
          const readings = await Promise.resolve()
            .then(read)
            .catch(() => [])
          this.reset()
          if (labels.length === 0 && readings.length === 0) return this.set(Number.NaN) // not known
          for (const { labels: of, value } of readings) this.set(of ?? {}, value)
        },
      })
    },
    histogram: (name, help, labels) => new Histogram({ name, help, labelNames: [...labels], buckets: BUCKETS_S, registers }),
    show: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  }
  board.gauge('process_resident_memory_bytes', 'Memory that this process has.', [], () => [{ value: process.memoryUsage.rss() }])
  board.gauge('process_cpu_seconds', 'Processor time that this process took so far.', [], () => {
    const { user, system } = process.cpuUsage()
    return [{ value: (user + system) / 1e6 }]
  })
  board.gauge('process_uptime_seconds', 'How long this process runs.', [], () => [{ value: process.uptime() }])
  return board
}
