import { createHash } from 'node:crypto'
import { appendFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  backoff,
  childUser,
  findDaemon,
  isAppError,
  messageOf,
  runCommand,
  startDaemon,
  startLoop,
  stopDaemon,
  writeFileAtomic,
  type ChildUser,
  type Daemon,
  type Home,
  type Logger,
} from '@skipcast/runtime'
import { clearStalePidFile, findPostmaster } from './postmaster.ts'
import { postgresPrograms, type PostgresPrograms } from './programs.ts'

/** A PostgreSQL of this machine's own, on loopback. Disposing does as `onStop` says. */
export interface LocalPostgres extends AsyncDisposable {
  /** Holds the password: never log it. */
  readonly url: string
}

export interface LocalPostgresOptions {
  readonly logger: Logger
  /** `stop` shuts it down; `hand-over` leaves it running for the next process to adopt. */
  readonly onStop: 'stop' | 'hand-over'
  /** Where other machines reach it, and from which network: it has no TLS. Absent: nowhere. */
  readonly listen?: Listen
}

interface Listen {
  readonly address: string
  /** address/bits */
  readonly from: string
}

const USER = 'skipcast'
const LOOK_EVERY_MS = 500
const SHUTDOWN_GRACE_MS = 10_000
const INITDB_TIMEOUT_MS = 60_000
/** Up for so long, it counts as well: the next crash is answered at once. */
const HEALTHY_AFTER_MS = 10_000
const MAX_LOG_BYTES = 10 * 1024 * 1024

const LOOPBACK = '127.0.0.1'
const SETTINGS = {
  unix_socket_directories: '',
  max_connections: '60',
  shared_buffers: '128MB',
  // What is looked up is in memory, or on an SSD: an index costs little, and a second process for one question more than it saves.
  random_page_cost: '1.1',
  max_parallel_workers_per_gather: '0',
  jit: 'off',
  // Statements can hold what people typed; the log needs only what went wrong.
  log_min_error_statement: 'panic',
}

/**
 * Keeps a PostgreSQL running below the home, as a daemon that survives this process. Returns at once; it is made (initdb),
 * started, adopted when it runs already, and restarted with backoff after a crash, in the background. Whether it answers
 * is for the caller to see, as with any other server.
 */
export async function localPostgres(home: Home, options: LocalPostgresOptions): Promise<LocalPostgres> {
  const user = childUser()
  const port = await home.port('postgres')
  const password = await home.secret('postgres')
  const directory = await home.directory('postgres', { owner: user })
  const supervisor = supervise({ home, user, port, password, directory, ...options })
  return {
    url: `postgresql://${USER}:${password}@${options.listen?.address ?? LOOPBACK}:${port}/postgres`,
    async [Symbol.asyncDispose]() {
      await supervisor[Symbol.asyncDispose]()
      if (options.onStop === 'stop') await stopPostgres(directory)
    },
  }
}

interface Place {
  readonly home: Home
  readonly user: ChildUser | undefined
  readonly port: number
  readonly password: string
  readonly directory: string
  readonly logger: Logger
  readonly listen?: Listen
}

/** Each pass looks at the machine and starts what is not there; it is its own retry. */
function supervise(place: Place): AsyncDisposable {
  const { directory, logger } = place
  const wait = backoff({ firstMs: 250, mostMs: 30_000 })
  let accepted = false // the one that runs is as this version wants it
  let startedAt = 0
  let notBefore = 0

  const pass = async () => {
    const now = performance.now()
    const running = await findPostgres(directory)
    if (running && (accepted || running.tag === tagOf(place, await programs()))) {
      accepted = true
      if (now - startedAt > HEALTHY_AFTER_MS) wait.reset()
      return
    }
    if (running) {
      logger.info('restarting PostgreSQL: its settings or its version changed')
      await stopPostgres(directory)
    }
    if (now < notBefore) return
    if (accepted) logger.warn('PostgreSQL is gone; starting it again')
    startedAt = now
    notBefore = now + wait.next()
    await start(place, await programs())
    accepted = true
  }
  let found: Promise<PostgresPrograms> | undefined
  const programs = () =>
    (found ??= postgresPrograms(place.home, place.user).catch((error: unknown) => {
      found = undefined
      throw error
    }))
  return startLoop(pass, {
    everyMs: LOOK_EVERY_MS,
    onError(error) {
      const details = isAppError(error) ? error.details : undefined
      logger.error({ problem: messageOf(error), details }, 'PostgreSQL could not be started')
    },
  })
}

async function start(place: Place, programs: PostgresPrograms): Promise<void> {
  const { directory, user } = place
  const data = join(directory, 'data')
  if (!(await exists(data))) await makeDataDirectory(place, programs)
  await clearStalePidFile(data)
  const logFile = join(directory, 'postgres.log')
  const log = await stat(logFile).catch(() => null)
  if (log && log.size > MAX_LOG_BYTES) await rename(logFile, `${logFile}.old`)
  const daemon = await startDaemon({
    program: programs.postgres,
    args: ['-D', data, ...settings(place)],
    cwd: directory,
    logFile,
    identityFile: identityFile(directory),
    tag: tagOf(place, programs),
    user,
  })
  place.logger.info({ pid: daemon.pid, port: place.port, version: programs.version }, 'started PostgreSQL')
}

/** initdb beside the final place, then a rename: a data directory is whole or not there. */
async function makeDataDirectory({ directory, user, password, listen }: Place, programs: PostgresPrograms): Promise<void> {
  const draft = join(directory, 'data.new')
  const passwordFile = join(directory, 'password')
  await rm(draft, { recursive: true, force: true })
  await writeFileAtomic(passwordFile, password, { owner: user })
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const access = [`--username=${USER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
  await runCommand(programs.initdb, ['-D', draft, ...locale, ...access], {
    timeoutMs: INITDB_TIMEOUT_MS,
    user,
    cwd: directory,
    env: { LANG: 'C.UTF-8', PATH: '/usr/bin:/bin' },
  }).finally(() => rm(passwordFile, { force: true }))
  if (listen) await appendFile(join(draft, 'pg_hba.conf'), `host all ${USER} ${listen.from} scram-sha-256\n`)
  await rename(draft, join(directory, 'data'))
}

async function stopPostgres(directory: string): Promise<void> {
  const running = await findPostgres(directory)
  // SIGINT is PostgreSQL's "fast" shutdown: it rolls back what runs and ends cleanly.
  if (running) await stopDaemon(running, { identityFile: identityFile(directory), graceMs: SHUTDOWN_GRACE_MS, signal: 'SIGINT' })
}

/** By our own note, or by PostgreSQL's where the note was not written any more (its tag is then unknown). */
async function findPostgres(directory: string): Promise<Daemon | null> {
  const noted = await findDaemon(identityFile(directory))
  if (noted) return noted
  const postmaster = await findPostmaster(join(directory, 'data'))
  return postmaster && { ...postmaster, tag: 'unknown' }
}

function settings({ port, listen }: Place): string[] {
  const addresses = [LOOPBACK, ...(listen ? [listen.address] : [])].join(',')
  return Object.entries({ listen_addresses: addresses, ...SETTINGS, port: `${port}` }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
}

function tagOf(place: Place, programs: PostgresPrograms): string {
  return createHash('sha256')
    .update(JSON.stringify([programs.postgres, settings(place)]))
    .digest('hex')
}

function identityFile(directory: string): string {
  return join(directory, 'postgres.json')
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
