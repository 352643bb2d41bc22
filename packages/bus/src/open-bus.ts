import { AppError, type HealthBoard, type Logger } from '@skipcast/runtime'
import type { BusConfig } from './config.ts'
import { kafkaBus } from './kafka-bus.ts'
import { memoryBus } from './memory-bus.ts'
import type { Bus } from './ports.ts'

/**
 * The bus that the configuration asks for. The one in memory reaches this process only, and says so aloud. Throws CONFIG_INVALID
 * when Kafka is wanted and no broker is named.
 */
export function openBus(config: BusConfig, context: { readonly logger: Logger; readonly health: HealthBoard }): Bus {
  if (config.kind === 'memory') {
    context.logger.warn('the bus is in memory: it reaches this process only, and what is on it ends with the process')
    context.health.report('bus', null)
    return memoryBus(context)
  }
  if (config.brokers.length === 0)
    throw new AppError('CONFIG_INVALID', 'KAFKA_BROKER: which broker? Name one, run the role kafka here, or set EVENT_BUS=memory')
  return kafkaBus(config, context)
}
