export { memoryBus, type MemoryBus } from './memory-bus.ts'
export type { Bus, Outgoing, StateView } from './ports.ts'
export type { ServiceContext } from './service-context.ts'
