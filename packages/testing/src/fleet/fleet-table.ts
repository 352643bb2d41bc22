import { summarise } from '../summary.ts'
import type { FleetOutcome } from './fleet-fault.ts'

export const FLEET_HEADING = [
  'fault',
  'n',
  'no byte p50',
  'p99',
  'no programme p50',
  'p99',
  'listeners dropped',
  'commands lost',
  'double publishers',
  'problems',
]

/** A row for each kind of fault, in order of their first appearance. Times in ms, at the listeners of the channels concerned. */
export function fleetRows(outcomes: readonly FleetOutcome[]): string[][] {
  const names = [...new Set(outcomes.map(({ fault }) => fault))]
  return names.map((name) => {
    const those = outcomes.filter(({ fault }) => fault === name)
    const sum = (valueOf: (outcome: FleetOutcome) => number) => those.reduce((total, outcome) => total + valueOf(outcome), 0)
    const gap = summarise(those.flatMap(({ gaps }) => gaps))
    const programme = summarise(those.flatMap((outcome) => outcome.programme))
    return [
      name,
      `${those.length}`,
      ...[gap.p50, gap.p99, programme.p50, programme.p99].map((value) => (Number.isNaN(value) ? '–' : value.toFixed(0))),
      `${sum(({ dropped }) => dropped)}/${sum(({ listeners }) => listeners)}`,
      `${sum(({ orders }) => orders.lost)}/${sum(({ orders }) => orders.acknowledged)}`,
      `${sum(({ doublePublishers }) => doublePublishers)}`,
      `${sum(({ problems }) => problems.length)}`,
    ]
  })
}
