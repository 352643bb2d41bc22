import { readFile } from 'node:fs/promises'
import { runCommand, type ChildUser } from '@skipcast/runtime'

/** What one engine may take of its machine. */
export interface EngineLimits {
  /** Its own writable memory, the stacks of its threads (8 MB each) among it. An engine that wants more ends. */
  readonly memoryBytes: number
  readonly openFiles: number
  /** 0 to 19: how far it stands back where processors are short. */
  readonly niceness: number
}

const PAGE_BYTES = 4096

/**
 * Holds a process, and all that it will start, to these limits. Done as the user that it runs as, who may always lower them: in a container not even root may do
 * that to others. Rejects with PROGRAM_MISSING or COMMAND_FAILED.
 */
export async function limitEngine(pid: number, limits: EngineLimits, user: ChildUser | undefined): Promise<void> {
  const { memoryBytes, openFiles, niceness } = limits
  const options = { timeoutMs: 5000, user }
  await runCommand('prlimit', ['--pid', String(pid), `--data=${memoryBytes}`, `--nofile=${openFiles}`, '--core=0'], options)
  if (niceness > 0) await runCommand('renice', ['-n', String(niceness), '-p', String(pid)], options)
}

/** The memory that a process really has; 0 when it is gone, or about to be: memory goes first, then files and connections, then the process. */
export async function residentBytes(pid: number): Promise<number> {
  const statm = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '0 0')
  return Number(statm.split(' ')[1]) * PAGE_BYTES
}
