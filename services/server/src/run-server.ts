import type { Environment } from '@skipcast/runtime'
import { startServer } from './server.ts'
import { tellError } from './tell-error.ts'

/** A stop that takes longer than this is not waited for. */
const STOP_LIMIT_MS = 45_000

/**
 * The whole life of a server process: starts the roles, waits for SIGINT or SIGTERM, stops them in reverse order.
 * Resolves with the exit code. Foreseen failures (bad configuration, a taken port) are one clear text, not a stack.
 */
export async function runServer(environment: Environment): Promise<number> {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())
  const stopped = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve(), { once: true }))
  try {
    const server = await startServer(environment, stop.signal)
    await stopped
    const limit = setTimeout(() => process.exit(1), STOP_LIMIT_MS)
    await server[Symbol.asyncDispose]()
    clearTimeout(limit)
    return 0
  } catch (error) {
    if (stop.signal.aborted) return 0
    process.stderr.write(`\n${tellError(error)}\n`)
    return 1
  }
}
