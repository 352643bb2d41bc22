import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { FLEET_HEADING, fleetFaultList, fleetRows, runFleetFaults, startFleet, whyNoLan } from '@skipcast/testing/fleet'
import { table } from './table.ts'

/**
 * `npm run fleet-faults -- [--rounds 3] [--channels 4] [--only TEXT] [--json FILE]`: breaks machines of a fleet, and what is between them, and prints what listeners heard.
 * Ends with 1 when something was not as it must be, with 2 where there can be no such fleet.
 */
const MOST = 1000
const LISTENERS = 2

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    channels: { type: 'string', default: '4' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
  },
})
const rounds = wholeNumber('--rounds', values.rounds)
const channels = wholeNumber('--channels', values.channels)
const faults = fleetFaultList(rounds).filter(({ name }) => name.includes(values.only))

const obstacle = await whyNoLan()
if (obstacle !== null) {
  console.error(`No fleet can be had here: ${obstacle}`)
  process.exitCode = 2
} else {
  await using owned = new AsyncDisposableStack()
  const startedAt = performance.now()
  const say = (text: string) => console.log(`${((performance.now() - startedAt) / 1000).toFixed(0)} s  ${text}`)
  const fleet = owned.use(await startFleet({ victims: channels, others: Math.ceil(channels / 2), listeners: LISTENERS }))
  say('the fleet is on air')
  const outcomes = await runFleetFaults(fleet, faults, say)
  console.log(`\n${table(FLEET_HEADING, fleetRows(outcomes))}`)
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(outcomes, null, 1)}\n`)
  const problems = outcomes.flatMap(({ fault, problems: those }) => those.map((problem) => `${fault}: ${problem}`))
  console.log(`\n${outcomes.length} faults, ${problems.length} problems${problems.map((problem) => `\n  ${problem}`).join('')}`)
  process.exitCode = problems.length === 0 ? 0 : 1
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > MOST)
    throw new RangeError(`${option} takes a whole number from 1 to ${MOST}`)
  return value
}
