import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitFor } from '@skipcast/runtime'
import { childrenOf } from './process-cost.ts'

/** What a Skipcast takes to stop all that it runs, on a busy machine. */
const STOP_LIMIT_MS = 40_000
const KILL_LIMIT_MS = 10_000

/** Where one run keeps everything temporary, so that whatever it started can be found and ended, however the run ends. */
export interface RunPlace {
  readonly directory: string
  /** Ends every process of the run, ours first as Ctrl-C does, what is left then by KILL, and removes the directory. */
  end(): Promise<void>
}

export async function runPlace(): Promise<RunPlace> {
  const directory = await mkdtemp(join(tmpdir(), 'skipcast-bench-'))
  await chmod(directory, 0o711) // children that run as another user pass through it
  const end = async () => {
    for (const pid of await childrenOf(process.pid)) signal(pid, 'SIGINT')
    const areGone = async () => (await processesIn(directory)).length === 0
    await waitFor('what was started to end', areGone, { timeoutMs: STOP_LIMIT_MS }).catch(() => undefined)
    const killed = async () => {
      const left = await processesIn(directory)
      for (const pid of left) signal(pid, 'SIGKILL')
      return left.length === 0
    }
    await waitFor('what was killed to end', killed, { timeoutMs: KILL_LIMIT_MS })
    await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  }
  let ended: Promise<void> | undefined
  return { directory, end: () => (ended ??= end()) }
}

/** Living processes that name the directory in their command line or in their environment, but for this one. */
async function processesIn(directory: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number)
  const named = await Promise.all(
    pids.map(async (pid) => {
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
      return pid !== process.pid && `${await read('cmdline')}\0${await read('environ')}`.includes(directory)
    }),
  )
  return pids.filter((_, index) => named[index])
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // it has ended by itself
  }
}
