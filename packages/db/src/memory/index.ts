export { changeChannel } from '../stores/change-channel.ts'
export { memoryTables, type MemoryTables } from './memory-tables.ts'
