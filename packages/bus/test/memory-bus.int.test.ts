import { memoryBus, type MemoryBus } from '../src/index.ts'
import { busContract } from './bus-contract.ts'

busContract('the bus in memory', async () => {
  let current: MemoryBus | undefined
  return {
    async open(retry) {
      const bus = memoryBus({ retry })
      current = bus
      return {
        bus,
        append: async (topic, key, value) => bus.append(topic, { key, value }),
        deadLetters: async (topic) => bus.deadLetters(topic),
      }
    },
    takeDown: async () => current?.outage(true),
    bringBack: async () => current?.outage(false),
    [Symbol.asyncDispose]: async () => undefined,
  }
})
