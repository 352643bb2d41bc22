import type { EngineSocket } from './engine-socket.ts'
import type { EventFiles } from './event-log.ts'

/**
 * Where engines live: the processes, files and sockets of one machine. `engineHost` knows what is done with them, and this how, here
 * (`local-machine.ts`) or at the other end of a connection (`ssh/ssh-machine.ts`). Whatever a machine must be asked for rejects with HOST_UNREACHABLE
 * where it can't be reached.
 */
export interface EngineMachine extends AsyncDisposable {
  /** All engines that have a place here, and their processes where these live. Empties logs that have grown too long. */
  list(): Promise<readonly EngineTrace[]>
  /** Names the script that new engines run. Rejects with PROGRAM_MISSING or ENGINE_START_FAILED, also while that is not known. */
  scriptTag(): Promise<string>
  /** Liquidsoap may be another one by now: it is asked again which script it needs. */
  forgetScript(): void
  /** Makes a place for a new engine and starts its process, which writes into that place alone. Resolves once it exists. Rejects as `scriptTag` does. */
  start(engineId: string): Promise<void>
  /** What its process has of memory now; 0 when it is gone, or about to be. */
  memoryOf(engineId: string): Promise<number>
  /** What the process printed last. */
  lastWords(engineId: string): Promise<string>
  /** Asks the process to end, or kills it; resolves once it is gone and its place too. What is absent already is no failure. */
  stop(engineId: string, options: { kill: boolean }): Promise<void>
  /** Writes what a channel shall play, as a whole, for the engine alone to read; resolves with the path. */
  writePlan(engineId: string, channelId: string, text: string): Promise<string>
  removePlan(engineId: string, channelId: string): Promise<void>
  /** All plans that an engine was given, as text. */
  readPlans(engineId: string): Promise<readonly string[]>
  /** Opens what is kept open of an engine. `onChange` is called when it hung up, or wrote an event. */
  open(engineId: string, onChange: () => void): EngineAccess
  /** Where a file that is played lies: an absolute path that engines can read. */
  pathOf(sha256: string): string
  /** Calls back when something changed that no open access tells: the machine can be reached again, say, or no longer. */
  onChange?(listener: () => void): void
}

export interface EngineTrace {
  readonly id: string
  readonly process: { readonly scriptTag: string; readonly memoryBytes: number } | null
}

interface EngineAccess extends Disposable {
  readonly socket: EngineSocket
  readonly events: EventFiles
}
