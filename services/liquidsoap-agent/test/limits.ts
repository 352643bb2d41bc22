import type { EngineLimits } from '../src/adapters/engine-limits.ts'

/** What the configuration has unless told otherwise. */
export const LIMITS: EngineLimits = { memoryBytes: 4096 * 1024 * 1024, openFiles: 4096, niceness: 0 }
