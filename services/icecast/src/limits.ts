import { readFile } from 'node:fs/promises'
import type { IcecastConfig } from './config.ts'

/** What each program needs beside connections. */
const SPARE_FILES = 200

/**
 * How many connections the front may have, each of which takes two files there. Node has raised its own limit as far as it may, and children
 * inherit that; more only the system's settings can give, which `warn` is told.
 */
export async function mostConnections(config: IcecastConfig, warn: (has: number, wants: number) => void): Promise<number> {
  // Half of the sources are this role's own, which do not come through the front.
  const most = config.maxListeners + Math.ceil(config.maxSources / 2)
  const wants = 2 * most + SPARE_FILES
  const has = Number(/^Max open files +(\d+)/m.exec(await readFile('/proc/self/limits', 'utf8'))?.[1] ?? Infinity)
  if (has >= wants) return most
  warn(has, wants)
  return Math.max(1, Math.floor((has - SPARE_FILES) / 2))
}
