import { AppError, isAppError, makeDirectory, messageOf, portIsFree, runCommand, writeFileAtomic } from '@skipcast/runtime'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CERTIFICATE_FILE, GATE_FILE } from '../domain/front-config.ts'
import { keptDaemon, type KeptDaemonOptions, type Setting } from './kept-daemon.ts'

const CONFIG_FILE = 'haproxy.cfg'
const CHECK_TIMEOUT_MS = 10_000

export interface FrontProcessOptions extends Pick<
  KeptDaemonOptions,
  'directory' | 'identityFile' | 'logMaxBytes' | 'user' | 'onStop' | 'telemetry'
> {
  readonly binary: string
  readonly config: string
  /** The script of the gate. */
  readonly gateScript: string
  /** The maps as they are now, by the names of their files, which are kept in `directory` by others. */
  readonly maps: () => Readonly<Record<string, string>>
  /** A PEM file with certificate and key, which may be renewed at any time; null: no TLS. */
  readonly certificateFile: string | null
  /** Where it listens, and the variable that says so. */
  readonly listens: readonly { readonly host: string; readonly port: number; readonly variable: string }[]
}

/**
 * Keeps one HAProxy running with this configuration. With another, or with a renewed certificate, it goes on in a new worker process: the
 * listening sockets are handed over, and the worker before stays for as long as its connections do.
 * Rejects with PROGRAM_MISSING, CONFIG_INVALID or PORT_TAKEN; later failures to start are retried.
 */
export async function frontProcess(options: FrontProcessOptions): Promise<AsyncDisposable> {
  const { binary, directory, user } = options
  const next = await makeDirectory(join(directory, 'next'), { owner: user })
  const gate = await readFile(options.gateScript)

  async function setting(): Promise<Setting> {
    const certificate = await readCertificate(options.certificateFile)
    const hash = createHash('sha256')
    for (const part of [binary, options.config, gate, certificate ?? '']) hash.update(part).update('\0')
    // The tag tells the next process which ports are ours already.
    return { tag: [hash.digest('base64url'), ...options.listens.map(place)].join(' '), prepare }

    async function prepare(running: string | null): Promise<void> {
      const ours = new Set(running?.split(' ').slice(1))
      for (const listen of options.listens)
        if (!ours.has(place(listen)) && !(await portIsFree(listen.port, listen.host))) throw portTaken(listen)
      // What HAProxy itself refuses never takes the place of what works.
      await write(next)
      for (const [name, text] of Object.entries(options.maps())) await writeFileAtomic(join(next, name), text, { owner: user })
      await check()
      await write(directory)

      async function write(into: string): Promise<void> {
        await writeFileAtomic(join(into, CONFIG_FILE), options.config, { owner: user })
        await writeFileAtomic(join(into, GATE_FILE), gate, { owner: user })
        if (certificate) await writeFileAtomic(join(into, CERTIFICATE_FILE), certificate, { owner: user })
      }
    }
  }

  async function check(): Promise<void> {
    const limits = { timeoutMs: CHECK_TIMEOUT_MS, user, cwd: next }
    await runCommand(binary, ['-c', '-q', '-f', CONFIG_FILE], limits).catch((cause: unknown) => {
      if (isAppError(cause, 'PROGRAM_MISSING')) throw missing(binary, cause)
      const told = isAppError(cause) ? String(cause.details) : messageOf(cause)
      const hint = options.certificateFile ? ' Look into the file that ICECAST_TLS_CERT names first.' : ''
      throw new AppError('CONFIG_INVALID', `HAProxy refuses its configuration.${hint} It says: ${told.trim()}`, { cause })
    })
  }

  return keptDaemon({
    ...options,
    name: 'haproxy',
    program: binary,
    // One master that never changes, whose workers come and go.
    args: ['-W', '-f', join(directory, CONFIG_FILE)],
    setting,
    reloadSignal: 'SIGUSR2',
  })
}

async function readCertificate(file: string | null): Promise<Buffer | null> {
  if (file === null) return null
  return readFile(file).catch((cause: unknown) => {
    throw new AppError('CONFIG_INVALID', `ICECAST_TLS_CERT: the file can not be read: ${messageOf(cause)}`, { cause })
  })
}

function missing(binary: string, cause: AppError): AppError {
  const advice = 'Install it (apt-get install haproxy), or set HAPROXY_BIN to where it is.'
  return new AppError('PROGRAM_MISSING', `${binary}, the front before icecast2, is not there. ${advice}`, { cause })
}

function place({ host, port }: { host: string; port: number }): string {
  return `${host}:${port}`
}

function portTaken({ port, variable }: FrontProcessOptions['listens'][number]): AppError {
  return new AppError(
    'PORT_TAKEN',
    `Port ${port} for listeners is taken by another program. End that, or set ${variable} to a free one.`,
  )
}
