import { fileURLToPath } from 'node:url'

/** Where the parts of the engine's script of this repository are. */
export const SCRIPTS = fileURLToPath(new URL('../../../liquidsoap', import.meta.url))
