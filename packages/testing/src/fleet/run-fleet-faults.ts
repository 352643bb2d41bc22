import type { FleetFault, FleetOutcome } from './fleet-fault.ts'
import { fleetRows } from './fleet-table.ts'
import type { Fleet } from './fleet.ts'
import { injectFleetFault } from './inject-fleet-fault.ts'

/**
 * Injects these faults, one after the other, each into a fleet that is as at the beginning. Resolves with what each of them did; those that this
 * machine can't have are told to `say`, and left out. Rejects with TIMEOUT when the fleet does not come to rest.
 */
export async function runFleetFaults(
  fleet: Fleet,
  faults: readonly FleetFault[],
  say: (text: string) => void,
): Promise<FleetOutcome[]> {
  const outcomes: FleetOutcome[] = []
  for (const fault of faults) {
    const obstacle = fault.obstacle?.(fleet) ?? null
    if (obstacle !== null) {
      say(`LEFT OUT: ${fault.name}: ${obstacle}`)
      continue
    }
    await fleet.arrange()
    await fault.prepare?.(fleet)
    const outcome = await injectFleetFault(fleet, fault)
    outcomes.push(outcome)
    say([fleetRows([outcome])[0]!.join(' | '), ...outcome.problems.map((problem) => `  PROBLEM ${problem}`)].join('\n'))
  }
  return outcomes
}
