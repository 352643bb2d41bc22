import { spawn } from 'node:child_process'
import { availableParallelism, cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { startFleet, whyNoLan } from '@skipcast/testing/fleet'
import type { Benchmark } from './benchmark.ts'
import { table } from './table.ts'
import { verdict } from './verdict.ts'

const LOOK_EVERY_MS = 1000
/** Turns round for so many ms of each hundred. */
const BUSY = `const share = Number(process.argv[1]); setInterval(() => { const until = performance.now() + share; while (performance.now() < until); }, 100)`

export const falseFailovers: Benchmark<{ minutes: number; percent: number; channels: number }> = {
  name: 'false-failovers',
  summary: 'moves that nobody needed, on a machine that is kept busy (takes root)',
  settings: { minutes: 30, percent: 90, channels: 6 },
  async run({ minutes, percent, channels }, say) {
    const obstacle = await whyNoLan()
    if (obstacle !== null) throw new Error(`No fleet can be had here: ${obstacle}`)
    await using owned = new AsyncDisposableStack()
    const fleet = owned.use(
      await startFleet({ victims: Math.ceil(channels / 2), others: Math.floor(channels / 2), listeners: 1 }),
    )
    await fleet.arrange()
    const all = [...fleet.victims, ...fleet.others]
    const listeners = all.flatMap((channel) => channel.listeners)
    const epochs = async () => (await fleet.placements(all)).reduce((sum, { epoch }) => sum + epoch, 0)
    const [before, silentBefore, closuresBefore] = [await epochs(), silentFrames(), closures()]
    for (let core = 0; core < availableParallelism(); core++) {
      const busy = spawn(process.execPath, ['-e', BUSY, `${percent}`], { stdio: 'ignore' })
      owned.defer(() => void busy.kill('SIGKILL'))
    }
    say(`${minutes} minutes at ${percent} % of each core, besides the fleet itself`)
    const startedAt = performance.now()
    const used = cpuTimes()
    let worst = 0
    let silent = 0
    while (performance.now() - startedAt < minutes * 60_000) {
      const asked = performance.now()
      for (const { host } of fleet.agents) if ((await fleet.server(host.name)).state !== 'open') silent += 1
      worst = Math.max(worst, performance.now() - asked)
      await sleep(LOOK_EVERY_MS)
    }
    const now = cpuTimes()
    const load = ((now.busy - used.busy) / (now.all - used.all)) * 100
    const moves = (await epochs()) - before
    return table(
      [
        'minutes',
        'CPU of the machine, %',
        'moves that nobody needed',
        'target',
        'times a server was not open',
        'listeners dropped',
        'frames of filler',
        'slowest look at the API, ms',
      ],
      [
        [
          `${minutes}`,
          load.toFixed(0),
          `${moves}`,
          verdict(moves === 0, '0'),
          `${silent}`,
          `${closures() - closuresBefore}`,
          `${silentFrames() - silentBefore}`,
          worst.toFixed(0),
        ],
      ],
    )

    function silentFrames(): number {
      return listeners.reduce((sum, { heard }) => sum + heard.silentFrames, 0)
    }
    function closures(): number {
      return listeners.reduce((sum, listener) => sum + listener.closures.length, 0)
    }
  },
}

/** Of all cores since the machine began, in ms. */
function cpuTimes(): { busy: number; all: number } {
  const times = cpus().map((core) => core.times)
  const all = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0)
  return { busy: all - times.reduce((sum, { idle }) => sum + idle, 0), all }
}
