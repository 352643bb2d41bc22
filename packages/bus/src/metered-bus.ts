import { isAppError, type Meters } from '@skipcast/runtime'
import type { Bus } from './ports.ts'

/** The same bus, with what it could not publish counted. */
export function meteredBus(bus: Bus, meters: Meters): Bus {
  const failures = meters.counter('skipcast_bus_publish_failures_total', 'Publishes that the bus refused, or did not answer.', [
    'topic',
    'code',
  ])
  return {
    kind: bus.kind,
    async publish(topic, records) {
      try {
        await bus.publish(topic, records)
      } catch (error) {
        failures.inc({ topic, code: isAppError(error) ? error.code : 'bug' })
        throw error
      }
    },
    consume: (options) => bus.consume(options),
    watch: (topic) => bus.watch(topic),
    ping: () => bus.ping(),
    [Symbol.asyncDispose]: () => bus[Symbol.asyncDispose](),
  }
}
