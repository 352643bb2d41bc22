import { waitFor } from '@skipcast/runtime'
import { startSkipcast, type SkipcastProcess } from '../skipcast-process.ts'
import type { LanHost } from './lan.ts'

/** A machine that runs one server process and what that starts. */
export interface Machine {
  readonly host: LanHost
  readonly home: string
  /** Ends everything on it at once: its connections are told. */
  kill(): Promise<void>
  /** Of the server process alone. */
  signal(signal: NodeJS.Signals): void
  /** The next server process. Resolves when it has started. */
  start(): Promise<void>
  log(): Promise<string>
}

const END_TIMEOUT_MS = 30_000
const START_TIMEOUT_MS = 90_000

/** Starts the server process of a machine. Resolves at once. */
export async function startMachine(host: LanHost, home: string, variables: Readonly<Record<string, string>>): Promise<Machine> {
  let server: SkipcastProcess = await startSkipcast(home, variables, host)
  const starts = async () => (await server.log()).split('"started"').length - 1
  return {
    host,
    home,
    async kill() {
      for (const pid of await host.pids()) process.kill(pid, 'SIGKILL')
      const isEmpty = async () => (await host.pids()).length === 0
      await waitFor(`everything on ${host.name} to end`, isEmpty, { timeoutMs: END_TIMEOUT_MS, everyMs: 5 })
    },
    signal: (signal) => server.signal(signal),
    async start() {
      const before = await starts()
      server = await startSkipcast(home, variables, host)
      await waitFor(`${host.name} to start`, async () => (await starts()) > before, { timeoutMs: START_TIMEOUT_MS })
    },
    log: () => server.log(),
  }
}
