import { describe, jest } from '@jest/globals'
import { eventsCases } from './bus-cases/events.ts'
import { outageCases } from './bus-cases/outage.ts'
import { publishingCases } from './bus-cases/publishing.ts'
import { busStage, type BusRoad } from './bus-cases/stage.ts'
import { stateCases } from './bus-cases/state.ts'

/** What every bus promises (see ports.ts). */
export function busContract(name: string, start: () => Promise<BusRoad>): void {
  describe(name, () => {
    jest.setTimeout(90_000)
    const stage = busStage(start)
    outageCases(stage) // first: a broker that was killed looks through all topics there are, and each case makes its own
    eventsCases(stage)
    publishingCases(stage)
    stateCases(stage)
  })
}
