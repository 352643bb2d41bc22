import { runNamed, usage } from './benchmark.ts'
import { channelLists } from './channel-lists.ts'
import { engineCost } from './engine-cost.ts'
import { engineCrash } from './engine-crash.ts'
import { eventLatency } from './event-latency.ts'
import { falseFailovers } from './false-failovers.ts'
import { fleetFailover } from './fleet-failover.ts'
import { idleCost } from './idle-cost.ts'
import { metricsPoll } from './metrics-poll.ts'
import { outbox } from './outbox.ts'
import { placePass } from './place-pass.ts'
import { readyToAir } from './ready-to-air.ts'
import { runPlace } from './run-place.ts'
import { scale } from './scale.ts'
import { startLatency } from './start-latency.ts'
import { upload } from './upload.ts'

const benchmarks = [
  startLatency,
  idleCost,
  engineCost,
  engineCrash,
  eventLatency,
  outbox,
  metricsPoll,
  placePass,
  channelLists,
  scale,
  fleetFailover,
  falseFailovers,
  upload,
  readyToAir,
]
const [name, ...settings] = process.argv.slice(2)
if (name === undefined) console.log(usage(benchmarks))
else {
  const place = await runPlace()
  process.env['TMPDIR'] = place.directory
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      console.error(`• ${signal}: ending what was started`)
      process.on('uncaughtException', () => {}) // the run misses what is taken away from it
      void place.end().finally(() => process.exit(1))
    })
  try {
    console.log(await runNamed(benchmarks, name, settings, (text) => console.error(`• ${text}`)))
  } finally {
    await place.end()
  }
}
