import { spawn } from 'node:child_process'
import type { ChildUser } from './child-user.ts'
import { AppError } from './errors.ts'

/** Most output that is kept of each stream; the rest is read and dropped. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024

/**
 * Runs a program to its end: argv only, never a shell; standard input is `input`, else empty. Resolves with what it printed when it exits with 0.
 * Rejects with PROGRAM_MISSING (no such program) or COMMAND_FAILED (exit code, signal, timeout or silence; the end of its error output is in `details`). The program is
 * killed when `stop` comes. With `onOutput`, what it prints is handed over as it comes, and not kept.
 */
export function runCommand(
  program: string,
  args: readonly string[],
  options: {
    timeoutMs: number
    user?: ChildUser | undefined
    cwd?: string
    env?: Record<string, string>
    input?: Buffer
    stop?: AbortSignal
    /** A program that prints nothing for so long hangs, and is killed. */
    silenceMs?: number
    onOutput?: (chunk: Buffer) => void
  },
): Promise<{ stdout: Buffer; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: [options.input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      ...(options.user && { uid: options.user.uid, gid: options.user.gid }),
      ...(options.cwd && { cwd: options.cwd }),
      ...(options.env && { env: options.env }),
      ...(options.stop && { signal: options.stop, killSignal: 'SIGKILL' as const }),
    })
    // Node's own timer would outlive a program that could not be started, and hold this process.
    let limitMs = options.timeoutMs
    const limit = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs)
    const endSilent = () => {
      limitMs = options.silenceMs!
      child.kill('SIGKILL')
    }
    const silence = options.silenceMs === undefined ? undefined : setTimeout(endSilent, options.silenceMs)
    child.stdout!.on('data', () => silence?.refresh())
    const disarm = () => {
      clearTimeout(limit)
      clearTimeout(silence)
    }
    const stdout = options.onOutput ? handOver(child.stdout!, options.onOutput) : collect(child.stdout!)
    const stderr = collect(child.stderr!)
    child.stdin?.on('error', () => {}) // a program need not read all of its input; its exit code tells
    child.stdin?.end(options.input)
    child.once('error', (cause) => {
      disarm()
      if (options.stop?.aborted) return reject(new AppError('COMMAND_FAILED', `${program} was stopped`, { cause }))
      const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
      reject(new AppError(missing ? 'PROGRAM_MISSING' : 'COMMAND_FAILED', `${program} could not be started`, { cause }))
    })
    child.once('close', (code, signal) => {
      disarm()
      const errors = stderr().toString('utf8')
      if (code === 0) return resolve({ stdout: stdout(), stderr: errors })
      const how = signal ? `was ended by ${signal} (limit ${limitMs} ms)` : `failed with exit code ${code}`
      reject(new AppError('COMMAND_FAILED', `${program} ${how}`, { details: errors.slice(-2000) }))
    })
  })
}

function handOver(stream: NodeJS.ReadableStream, take: (chunk: Buffer) => void): () => Buffer {
  stream.on('data', take)
  return () => Buffer.alloc(0)
}

function collect(stream: NodeJS.ReadableStream): () => Buffer {
  const chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    if (size < MAX_OUTPUT_BYTES) chunks.push(chunk)
    size += chunk.length
  })
  return () => Buffer.concat(chunks)
}
