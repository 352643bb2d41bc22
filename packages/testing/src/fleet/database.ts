import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readFileIfThere, waitFor } from '@skipcast/runtime'
import type { LanHost } from './lan.ts'
import { runOn } from './run-on.ts'

export const URL_FILE = 'url'
const PROCESS = fileURLToPath(new URL('database-process.ts', import.meta.url))
const START_TIMEOUT_MS = 30_000

/** A PostgreSQL on a machine of its own, which is started again when it dies. Resolves with its URL, before it answers. */
export async function startDatabase(host: LanHost, home: string, network: string): Promise<string> {
  runOn(host, home, 'database', [process.execPath, PROCESS, home, host.address, network])
  return waitFor('the URL of the database', () => readFileIfThere(join(home, URL_FILE)), { timeoutMs: START_TIMEOUT_MS })
}
