import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { summarise } from '@skipcast/testing'
import type { Benchmark } from './benchmark.ts'
import type { PassOrder, PassResult } from './place-pass-process.ts'
import { table } from './table.ts'
import { verdict } from './verdict.ts'

const PROCESS = fileURLToPath(new URL('place-pass-process.ts', import.meta.url))
const TARGET_MS = 1000
const CASES = [
  { name: 'nothing to do', scene: 'settled' },
  { name: 'a tenth of the servers lost', scene: 'lost' },
  { name: 'nobody has a server yet', scene: 'unplaced' },
  { name: 'the same, with 2 % of room to spare', scene: 'tight' },
] as const

export const placePass: Benchmark<{ servers: number; channels: number; rounds: number }> = {
  name: 'place-pass',
  summary: 'time and memory of one placement pass, and of looking at every server for each channel',
  settings: { servers: 1000, channels: 100_000, rounds: 5 },
  async run({ servers, channels, rounds }, say) {
    const rows: string[][] = []
    for (const { name, scene } of CASES) {
      say(name)
      const ours = await runOne({ scene, servers, channels, rounds, who: 'ours' })
      const naive = await runOne({ scene, servers, channels, rounds: 1, who: 'naive' })
      const [mine, theirs] = [summarise(ours.ms), summarise(naive.ms)]
      rows.push([
        name,
        `${ours.moves}`,
        mine.p50.toFixed(0),
        mine.max.toFixed(0),
        ours.peakMb.toFixed(0),
        ours.fullestPercent.toFixed(0),
        verdict(mine.max <= TARGET_MS, `≤ ${TARGET_MS} ms`),
        `${naive.moves}`,
        theirs.p50.toFixed(0),
        `${(theirs.p50 / mine.p50).toFixed(1)}x`,
      ])
    }
    const heading = [
      'moves',
      'ms p50',
      'ms max',
      'MB on top',
      'fullest server, %',
      'target',
      'naive: moves',
      'ms',
      'naive / ours',
    ]
    return `${channels} channels, ${servers} servers\n\n${table(['one pass', ...heading], rows)}`
  },
}

/** Each in a process of its own: what it takes on top of its picture of the fleet is its own. */
async function runOne(order: PassOrder): Promise<PassResult> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', PROCESS, JSON.stringify(order)])
  return JSON.parse(stdout) as PassResult
}
