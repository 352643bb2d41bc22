import { AppError } from '@skipcast/runtime'
import type { BusConfig } from './config.ts'
import { kafkaBus, type BusContext } from './kafka-bus.ts'
import { memoryBus } from './memory-bus.ts'
import type { Bus } from './ports.ts'

/**
 * The bus that the configuration asks for. The one in memory reaches this process only, which whoever chooses it says aloud. Throws CONFIG_INVALID
 * when Kafka is wanted and no broker is named.
 */
export function openBus(config: BusConfig, context: BusContext): Bus {
  if (config.kind === 'memory') {
    context.health.report('bus', null)
    return memoryBus(context)
  }
  if (config.brokers.length === 0)
    throw new AppError('CONFIG_INVALID', 'KAFKA_BROKER: which broker? Name one, run the role kafka here, or set EVENT_BUS=memory')
  return kafkaBus(config, context)
}
