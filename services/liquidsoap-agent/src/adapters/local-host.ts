import { join } from 'node:path'
import type { EngineHost } from '../ports.ts'
import { engineHost } from './engine-host.ts'
import { engineScripts } from './engine-script.ts'
import { localMachine, type LocalMachineOptions } from './local-machine.ts'

export interface LocalHostOptions extends LocalMachineOptions {
  /** The folder of the engine's script, in its parts. */
  readonly scripts: string
  readonly icecast: { readonly host: string; readonly port: number }
}

/** The engines of this machine. */
export async function localHost(options: LocalHostOptions): Promise<EngineHost> {
  const scripts = engineScripts({ ...options, sources: options.scripts, directory: join(options.directory, 'scripts') })
  return engineHost(await localMachine(options, scripts), options)
}
