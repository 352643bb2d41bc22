import { expect, test } from '@jest/globals'
import { faultHeading, faultList, faultRows, runFaults, startStation } from '@skipcast/testing/faults'

/** Fifty listeners on steady channels. */
const SIZE = { channels: 10, listeners: 5, channelsPerEngine: 2 }
/** How many, or `each` once; without it nothing is broken here, and the run says that it left this out. */
const wanted = process.env['SKIPCAST_FAULTS']
const faults = wanted === 'each' ? faultList() : faultList(Number(wanted ?? 0))
const testFaults = wanted === undefined ? test.skip : test
const LIMIT_MS = 600_000 + faults.length * 15_000
const say = (text: string) => void process.stderr.write(`${text}\n`)

testFaults(
  'whatever breaks, listeners keep what they may keep, the programme comes back, status is true again, and no order is lost',
  async () => {
    await using station = await startStation(SIZE)
    const outcomes = await runFaults(station, faults, say)
    say([faultHeading, ...faultRows(outcomes)].map((row) => row.join(' | ')).join('\n'))
    expect(outcomes.flatMap(({ fault, problems }) => problems.map((problem) => `${fault}: ${problem}`))).toEqual([])
    expect(outcomes.length).toBeGreaterThan(0)
  },
  LIMIT_MS,
)
