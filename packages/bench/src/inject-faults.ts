import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { summarise, temporaryHome, toneFile } from '@skipcast/testing'
import { faultHeading, faultList, faultRows, runFaults, startStation, type Outcome } from '@skipcast/testing/faults'
import { bareFaults, type BareFaults } from './bare-faults.ts'
import { table } from './table.ts'
import { verdict } from './verdict.ts'

/**
 * `npm run faults -- [--count 200] [--rivals 10] [--json FILE]`: breaks a platform on air in every way that the suite knows, and a bare one
 * in between, and prints what its listeners heard. Ends with 1 when something was not as it must be.
 */
const MOST_FAULTS = 10_000
const SIZE = { channels: 10, listeners: 5, channelsPerEngine: 2 }
const TARGETS = { fillerMs: 400, programmeMs: 1000, frozenMs: 1500 }

const { values } = parseArgs({
  options: { count: { type: 'string', default: '200' }, rivals: { type: 'string', default: '10' }, json: { type: 'string' } },
})
const count = wholeNumber('--count', values.count)
const rivals = wholeNumber('--rivals', values.rivals)

await using owned = new AsyncDisposableStack()
const station = owned.use(await startStation(SIZE))
const bare = rivals > 0 ? owned.use(await startRival()) : null
const startedAt = performance.now()
const say = (text: string) => console.log(`${((performance.now() - startedAt) / 1000).toFixed(0)} s  ${text}`)

const faults = faultList(count)
const theirs: Outcome[] = []
let done = 0
const ours = await runFaults(station, faults, say, async () => {
  done += 1
  if (!bare || theirs.length >= Math.floor((done * rivals) / faults.length)) return
  const outcome = theirs.length % 2 === 0 ? await bare.kill() : await bare.freeze()
  theirs.push(outcome)
  say(`${outcome.fault}: gap ${Math.max(...outcome.gaps).toFixed(0)} ms`)
})

console.log(`\n${table(faultHeading, faultRows([...ours, ...theirs]))}\n\n${verdicts(ours)}`)
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify([...ours, ...theirs], null, 1)}\n`)
const problems = ours.flatMap((outcome) => outcome.problems.map((problem) => `${outcome.fault}: ${problem}`))
console.log(`\n${ours.length} faults, ${problems.length} problems${problems.map((problem) => `\n  ${problem}`).join('')}`)
process.exitCode = problems.length === 0 ? 0 : 1

async function startRival(): Promise<BareFaults> {
  const home = owned.use(await temporaryHome())
  return bareFaults(home, [await toneFile(join(home.path, 'bare.mp3'), { frequencyHz: 440, seconds: 60 })])
}

function verdicts(outcomes: readonly Outcome[]): string {
  const of = (name: string) => outcomes.filter(({ fault }) => fault === name)
  const gaps = (name: string) => summarise(of(name).flatMap((outcome) => outcome.gaps))
  const back = (name: string) => summarise(of(name).flatMap(({ programmeBack }) => programmeBack))
  const row = (what: string, value: number, targetMs: number) => [
    what,
    value.toFixed(0),
    verdict(value <= targetMs, `≤ ${targetMs} ms`),
  ]
  return table(
    ['target', 'ms', 'verdict'],
    [
      row('engine killed → filler, p99', gaps('engine killed').p99, TARGETS.fillerMs),
      row('engine killed → programme, p50', back('engine killed').p50, TARGETS.programmeMs),
      row('engine frozen → sound of any kind, p50', gaps('engine frozen').p50, TARGETS.frozenMs),
    ],
  )
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0 || value > MOST_FAULTS)
    throw new RangeError(`${option} takes a whole number up to ${MOST_FAULTS}`)
  return value
}
