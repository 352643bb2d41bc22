import { runNamed, usage } from './benchmark.ts'
import { engineCost } from './engine-cost.ts'
import { eventLatency } from './event-latency.ts'
import { idleCost } from './idle-cost.ts'
import { metricsPoll } from './metrics-poll.ts'
import { outbox } from './outbox.ts'
import { startLatency } from './start-latency.ts'

const benchmarks = [startLatency, idleCost, engineCost, eventLatency, outbox, metricsPoll]
const [name, ...settings] = process.argv.slice(2)
console.log(
  name === undefined ? usage(benchmarks) : await runNamed(benchmarks, name, settings, (text) => console.error(`• ${text}`)),
)
