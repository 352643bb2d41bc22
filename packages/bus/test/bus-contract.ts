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
    eventsCases(stage)
    publishingCases(stage)
    stateCases(stage)
    outageCases(stage)
  })
}
