import { runNamed, usage } from './benchmark.ts'
import { startLatency } from './start-latency.ts'

const benchmarks = [startLatency]
const [name, ...settings] = process.argv.slice(2)
console.log(
  name === undefined ? usage(benchmarks) : await runNamed(benchmarks, name, settings, (text) => console.error(`• ${text}`)),
)
