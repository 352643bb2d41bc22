import { spawn, type ChildProcess } from 'node:child_process'
import { openSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, readFileIfThere, waitFor } from '@skipcast/runtime'
import { shareProgramsWith } from './shared-programs.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const MAIN = join(root, 'services/server/src/main.ts')
/** A broker that must be fetched and a database that must be made, on a busy machine. */
const READY_TIMEOUT_MS = 90_000

/** Skipcast as an operator starts it: processes of their own, real Kafka, PostgreSQL, Icecast and Liquidsoap, one home. */
export interface SkipcastProcess extends AsyncDisposable {
  readonly home: string
  readonly apiUrl: string
  readonly icecastPort: number
  readonly environment: Readonly<Record<string, string>>
  readonly pid: number
  /** Everything that it and the daemons wrote to its log so far. */
  log(): Promise<string>
  /** Resolves with the exit code once the process has ended. */
  readonly ended: Promise<number | null>
  /** Sends a signal to the server process only: what it started lives on. */
  signal(signal: NodeJS.Signals): void
}

/** Another machine than this one: its address, and what a command line begins with so that the program runs there. */
export interface Elsewhere {
  readonly address: string
  readonly through: readonly string[]
}

/**
 * Starts `services/server` with these variables over free ports. Started a second time with the `environment` of the
 * first, it is the same machine again. Kafka is fetched once for all homes. Disposing stops it as Ctrl-C does.
 */
export async function startSkipcast(
  home: string,
  variables: Readonly<Record<string, string>> = {},
  machine: Elsewhere = { address: '127.0.0.1', through: [] },
): Promise<SkipcastProcess> {
  await shareProgramsWith(home)
  const apiPort = variables['API_PORT'] ?? String(await freePort())
  const icecastPort = variables['ICECAST_PORT'] ?? String(await freePort())
  const environment = { SKIPCAST_HOME: home, API_PORT: apiPort, ICECAST_PORT: icecastPort, SERVER_ID: 'test', ...variables }
  const logFile = join(home, `server-${variables['SERVER_ROLES'] ?? 'all'}.log`)
  const log = openSync(logFile, 'a', 0o600)
  const [program, ...args] = [...machine.through, process.execPath, MAIN]
  const child = spawn(program, args, {
    cwd: root,
    env: { ...ownEnvironment(), LOG_FORMAT: 'json', ...environment },
    stdio: ['ignore', log, log],
    detached: true,
  })
  const ended = exitCode(child)
  return {
    home,
    apiUrl: `http://${machine.address}:${apiPort}`,
    icecastPort: Number(icecastPort),
    environment,
    pid: child.pid!,
    ended,
    log: async () => (await readFileIfThere(logFile)) ?? '',
    signal: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill('SIGINT')
      await ended
    },
  }
}

/** What a process of ours gets of the environment of a test, before what it is told. */
export function ownEnvironment(): Record<string, string | undefined> {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env
  return { PATH, HOME, NODE_COMPILE_CACHE }
}

function exitCode(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('close', resolve))
}

/** Waits until `/readyz` says that every part is there; a process that ends before is told with the end of its log. */
export async function untilReady(server: SkipcastProcess): Promise<void> {
  let over = false
  void server.ended.then(() => (over = true))
  await waitFor(
    'Skipcast to be ready',
    async () => {
      if (over) return 'over'
      return (await fetch(`${server.apiUrl}/readyz`)).ok
    },
    { timeoutMs: READY_TIMEOUT_MS, everyMs: 50 },
  ).catch(async (error: unknown) => {
    throw new Error(`Skipcast did not become ready:\n${(await server.log()).slice(-4000)}`, { cause: error })
  })
  if (over) throw new Error(`Skipcast ended at once:\n${(await server.log()).slice(-4000)}`)
}

/** Every living process that belongs to a home: its path stands in the command line or in the environment. */
export async function processesOf(home: string): Promise<{ pid: number; command: string }[]> {
  const found: { pid: number; command: string }[] = []
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue
    const [command, variables] = await Promise.all(
      ['cmdline', 'environ'].map((file) => readFile(`/proc/${entry}/${file}`, 'utf8').catch(() => '')),
    )
    if (command && (command.includes(home) || variables!.includes(`SKIPCAST_HOME=${home}\0`))) {
      found.push({ pid: Number(entry), command: command.replaceAll('\0', ' ').trim() })
    }
  }
  return found
}
