import { waitFor } from '@skipcast/runtime'
import { startSkipcast, type SkipcastProcess } from '../skipcast-process.ts'

/** A server process with some of the roles, as a machine of its own would have it: it can be killed, replaced and frozen. */
export interface Part extends AsyncDisposable {
  readonly pid: number
  readonly apiUrl: string
  readonly icecastPort: number
  /** kill -9: what it started lives on. Resolves when it is gone. */
  kill(): Promise<void>
  /** SIGTERM with ON_STOP=hand-over, as an upgrade does. Resolves when it is gone. */
  handOver(): Promise<void>
  /** The next process of the same roles. Resolves when all of these have started. */
  start(): Promise<void>
  freeze(): void
  wake(): void
  log(): Promise<string>
}

const END_TIMEOUT_MS = 60_000
const START_TIMEOUT_MS = 90_000

/** Starts a process of these roles over a home. Its engines and daemons outlive it: whoever owns the home ends them. */
export async function serverPart(home: string, roles: string, variables: Readonly<Record<string, string>>): Promise<Part> {
  let process: SkipcastProcess = await startSkipcast(home, { ...variables, SERVER_ROLES: roles, ON_STOP: 'hand-over' })
  let isOver = false
  const over = () => {
    const { ended } = process
    isOver = false
    void ended.then(() => (isOver = true))
  }
  over()
  const starts = async () => (await process.log()).split('"started"').length - 1
  const end = async (signal: NodeJS.Signals) => {
    process.signal(signal)
    await waitFor(`${roles} to end`, () => isOver, { timeoutMs: END_TIMEOUT_MS, everyMs: 5 })
  }
  return {
    get pid() {
      return process.pid
    },
    apiUrl: process.apiUrl,
    icecastPort: process.icecastPort,
    kill: () => end('SIGKILL'),
    handOver: () => end('SIGTERM'),
    async start() {
      const before = await starts()
      process = await startSkipcast(home, process.environment)
      over()
      await waitFor(`${roles} to start`, async () => (await starts()) > before, { timeoutMs: START_TIMEOUT_MS })
    },
    freeze: () => process.signal('SIGSTOP'),
    wake: () => process.signal('SIGCONT'),
    log: () => process.log(),
    async [Symbol.asyncDispose]() {
      process.signal('SIGCONT')
      if (!isOver) await end('SIGTERM')
    },
  }
}
