/** The agent without its adapters, for the simulation. */
export { agentEnv } from './config.ts'
export type { ChannelRecord, Engine } from './domain/engine.ts'
export type { EngineEvent } from './domain/engine-event.ts'
export type { WantedStream } from './domain/wanted.ts'
export type { Clock, Ear, EngineHost, Journal, MediaCache, Memo, Memory, OpenEar } from './ports.ts'
export { serve } from './serve.ts'
export { agentCounters, telemetry } from './telemetry.ts'
