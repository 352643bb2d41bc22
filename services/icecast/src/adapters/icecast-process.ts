import { AppError, httpGet, portIsFree, runCommand, writeFileAtomic } from '@skipcast/runtime'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { OWN_DOOR } from '../domain/doors.ts'
import { FIRST_UNKNOWN_ICECAST, isOlder, OLDEST_ICECAST, readVersion } from '../domain/version.ts'
import { keptDaemon, type KeptDaemonOptions } from './kept-daemon.ts'

const ANSWER_TIMEOUT_MS = 1000
const MAX_ANSWER_BYTES = 64 * 1024

export interface IcecastProcessOptions extends Pick<
  KeptDaemonOptions,
  'directory' | 'identityFile' | 'logMaxBytes' | 'user' | 'onStop' | 'telemetry' | 'onStarted'
> {
  readonly binary: string
  readonly xml: string
  readonly port: number
}

/**
 * Keeps one icecast2 running with this configuration. With another, it is replaced: a reload can block it for minutes.
 * Rejects with PROGRAM_MISSING, CONFIG_INVALID (a version that is too old or too new) or PORT_TAKEN; later failures to start are retried.
 */
export async function icecastProcess(options: IcecastProcessOptions): Promise<AsyncDisposable> {
  const { binary, xml, directory, port, user } = options
  await requireVersion(binary)
  const configFile = join(directory, 'icecast.xml')
  const setting = {
    tag: createHash('sha256').update(`${binary}\n${xml}`).digest('base64url'),
    async prepare() {
      if (!(await portIsFree(port, OWN_DOOR))) throw portTaken(port)
      await writeFileAtomic(configFile, xml, { owner: user })
    },
  }
  return keptDaemon({
    ...options,
    name: 'icecast2',
    program: binary,
    args: ['-c', configFile],
    setting: async () => setting,
    answers: () => answers(port),
  })
}

/** Whatever it says: without a password it says no at once, and asks nobody. */
async function answers(port: number): Promise<boolean> {
  const asked = httpGet(new URL(`http://${OWN_DOOR}:${port}/admin/`), {
    timeoutMs: ANSWER_TIMEOUT_MS,
    maxBytes: MAX_ANSWER_BYTES,
  })
  return asked.then(
    () => true,
    () => false,
  )
}

async function requireVersion(binary: string): Promise<void> {
  const { stdout } = await runCommand(binary, ['-v'], { timeoutMs: 5000 })
  const version = readVersion(stdout.toString())
  if (version && !isOlder(version, OLDEST_ICECAST) && isOlder(version, FIRST_UNKNOWN_ICECAST)) return
  const found = version?.join('.') ?? 'of unknown version'
  const [oldest, tooNew] = [OLDEST_ICECAST, FIRST_UNKNOWN_ICECAST].map((known) => known.join('.'))
  throw new AppError(
    'CONFIG_INVALID',
    `${binary} is Icecast ${found}, but it must be ${oldest} or newer, and older than ${tooNew}. Debian 12 and 13 have one; set ICECAST_BIN to where it is.`,
  )
}

function portTaken(port: number): AppError {
  return new AppError(
    'PORT_TAKEN',
    `Port ${port}, on which icecast2 listens inside this machine, is taken by another program. End that, or remove ports/icecast-inner from the home: another one is chosen then.`,
  )
}
