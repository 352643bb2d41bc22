import { busFaults } from './cases/bus-faults.ts'
import { clockFaults } from './cases/clock-faults.ts'
import { cutFaults, singleCuts } from './cases/cut-faults.ts'
import { lostFaults } from './cases/lost-faults.ts'
import { plannedFaults } from './cases/planned-faults.ts'
import { replicaFaults } from './cases/replica-faults.ts'
import type { FleetFault } from './fleet-fault.ts'

/** One of each kind, in four minutes. */
const brief: readonly FleetFault[] = [
  lostFaults.silent,
  lostFaults.frozen,
  ...Object.values(replicaFaults),
  plannedFaults.drained,
  ...Object.values(cutFaults),
  busFaults.brokerWhileMoving,
  busFaults.databaseWhileMoving,
  busFaults.leaderUnderOrders,
  clockFaults.apart,
]

const every: readonly FleetFault[] = [
  ...brief,
  lostFaults.killed,
  plannedFaults.movedNow,
  plannedFaults.movedAtTrackEnd,
  busFaults.allBrokersWhileMoving,
  clockFaults.opposite,
  ...singleCuts,
]

/** `brief` has one of each kind, as CI does; a number every fault, so many times. */
export function fleetFaultList(rounds: number | 'brief'): FleetFault[] {
  return rounds === 'brief' ? [...brief] : Array.from({ length: rounds }, () => every).flat()
}
