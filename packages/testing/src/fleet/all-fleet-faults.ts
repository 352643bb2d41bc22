import { busFaults } from './cases/bus-faults.ts'
import { clockFaults } from './cases/clock-faults.ts'
import { cutFaults, singleCuts } from './cases/cut-faults.ts'
import { lostFaults } from './cases/lost-faults.ts'
import { plannedFaults } from './cases/planned-faults.ts'
import type { FleetFault } from './fleet-fault.ts'

/** Each kind, as CI has it. */
const each: readonly FleetFault[] = [
  ...Object.values(lostFaults),
  ...Object.values(plannedFaults),
  ...Object.values(cutFaults),
  ...Object.values(busFaults),
  clockFaults.apart,
]

/** What several rounds have besides, once: one by one what is else done at once, and the other way round. */
const besides: readonly FleetFault[] = [...singleCuts, clockFaults.opposite]

/** Every fault, `rounds` times over. */
export function fleetFaultList(rounds: number): FleetFault[] {
  const all = Array.from({ length: rounds }, () => each).flat()
  return rounds > 1 ? [...all, ...besides] : all
}
