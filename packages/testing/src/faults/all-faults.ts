import { diskFull } from './cases/disk-faults.ts'
import { engineFaults } from './cases/engine-faults.ts'
import { icecastFaults } from './cases/icecast-faults.ts'
import { mediaFaults } from './cases/media-faults.ts'
import { outageFaults } from './cases/outage-faults.ts'
import { processFaults } from './cases/process-faults.ts'
import type { Fault } from './fault.ts'

/**
 * Each way in which things break, once, in an order in which nothing waits for another's rest: an engine that was harmed is left alone for a minute, and
 * the outages harm one each besides.
 */
const everyFault: readonly Fault[] = [
  engineFaults.killed,
  engineFaults.frozen,
  engineFaults.paused,
  mediaFaults.silence,
  processFaults.agentKilled,
  engineFaults.idleKilled,
  icecastFaults.killed,
  outageFaults.brokerKilled,
  processFaults.controlKilled,
  outageFaults.databaseDown,
  outageFaults.brokerDown,
  mediaFaults.gone,
  mediaFaults.goneFromCache,
  mediaFaults.goneEverywhere,
  processFaults.agentHandedOver,
  icecastFaults.sourceCut,
  outageFaults.databaseKilled,
  processFaults.controlHandedOver,
  processFaults.agentFrozen,
  processFaults.controlFrozen,
  icecastFaults.frozen,
  outageFaults.brokerFrozen,
  icecastFaults.frontKilled,
  engineFaults.allKilled,
  diskFull,
  processFaults.serverLost,
]

/** What comes again and again: short, and the most interesting twice. */
const shortFaults: readonly Fault[] = everyFault
  .filter((fault) => fault !== outageFaults.brokerDown && fault !== outageFaults.databaseDown)
  .flatMap((fault) => (fault === engineFaults.killed || fault === engineFaults.frozen ? [fault, fault] : [fault]))

/** Every fault once, and then the short ones until there are so many. */
export function faultList(count: number = everyFault.length): Fault[] {
  const more = Math.max(0, count - everyFault.length)
  return [...everyFault, ...Array.from({ length: more }, (_, i) => shortFaults[i % shortFaults.length]!)].slice(
    0,
    Math.max(count, 0),
  )
}
