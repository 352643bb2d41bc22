import { fileURLToPath } from 'node:url'

/** The engine's script of this repository. */
export const SCRIPT = fileURLToPath(new URL('../../../liquidsoap/hub.liq', import.meta.url))
