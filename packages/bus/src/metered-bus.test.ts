import { expect, test } from '@jest/globals'
import { meters } from '@skipcast/runtime'
import { memoryBus } from './memory-bus.ts'
import { meteredBus } from './metered-bus.ts'

test('counts what could not be published, by topic and reason, and passes the rejection on', async () => {
  const board = meters()
  await using memory = memoryBus()
  const bus = meteredBus(memory, board)
  memory.outage(true)
  await expect(bus.publish('streamCommands', [{ key: 'a', value: null }])).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
  memory.outage(false)
  await bus.publish('streamCommands', [{ key: 'a', value: null }])
  expect((await board.show()).text).toContain(
    'skipcast_bus_publish_failures_total{topic="streamCommands",code="BUS_UNAVAILABLE"} 1',
  )
})
