/** The role without its programs, files and sockets, for the simulation. */
export { fedMounts } from './adapters/fed-mounts.ts'
export type { Attempt } from './adapters/source-connection.ts'
export { readMount } from './domain/mounts.ts'
export type { Question } from './domain/question.ts'
export { withinTime } from './http/ask-routes.ts'
export { mountKeeper } from './mount-keeper.ts'
export type { EpochStore, Feeder, IcecastAdmin } from './ports.ts'
export { icecastTelemetry } from './telemetry.ts'
