import { randomUUID } from 'node:crypto'
import { chmod, copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  childUser,
  freePort,
  identify,
  makeDirectory,
  portIsFree,
  runCommand,
  signalProcess,
  startDaemon,
  stopDaemon,
  waitFor,
  type ProcessIdentity,
} from '@skipcast/runtime'
import { parseHostKey, type SshTarget } from '../src/domain/ssh-target.ts'

const HELPER = fileURLToPath(new URL('../../../deploy/ssh/skipcast-host', import.meta.url))
/** As `deploy/ssh/install` makes it, and `deploy/bootstrap.mjs` for tests. */
const HOST_USER = 'skipcast-host'
const PROGRAM = '/usr/sbin/sshd'
const TIMEOUT_MS = 10_000

/** A real sshd on loopback whose one key may only run `skipcast-host`: all that a host of engines is. */
export interface TestSshd extends AsyncDisposable {
  readonly target: SshTarget
  /** Its public key, as a person would pin it. */
  readonly hostKey: string
  /** Our private key for it. */
  readonly keyFile: string
  /** What `skipcast-host` keeps there. */
  readonly root: string
  readonly user: string
  /** Ends every connection as a lost network does: nobody says goodbye. */
  drop(): Promise<void>
  /** Connections stay, and nothing moves on them any more, until `thaw`. */
  freeze(): Promise<void>
  thaw(): Promise<void>
  stop(): Promise<void>
  start(): Promise<void>
  /** The process of an engine. */
  engine(engineId: string): Promise<ProcessIdentity>
}

export async function testSshd(): Promise<TestSshd> {
  const directory = await mkdtemp(join(tmpdir(), 'skipcast-sshd-'))
  await chmod(directory, 0o711)
  const isRoot = process.getuid?.() === 0
  const owner = isRoot ? childUser(HOST_USER) : undefined
  if (isRoot) await makeDirectory('/run/sshd', { mode: 0o755 }) // sshd insists, where no service manager made it
  const user = owner?.name ?? userInfo().username
  const root = await makeDirectory(join(directory, 'host'), { owner })
  const helper = join(directory, 'skipcast-host')
  await copyFile(HELPER, helper)
  await chmod(helper, 0o755)

  const [hostKeyFile, keyFile] = [join(directory, 'host-key'), join(directory, 'key')]
  for (const file of [hostKeyFile, keyFile])
    await runCommand('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', file], { timeoutMs: TIMEOUT_MS })
  const [hostKey, key] = await Promise.all([hostKeyFile, keyFile].map((file) => readFile(`${file}.pub`, 'utf8')))
  const authorizedKeys = join(directory, 'authorized_keys')
  await writeFile(authorizedKeys, `restrict,command="${helper} ${root}" ${key}`, { mode: 0o644 })
  const port = await freePort()
  const config = join(directory, 'sshd_config')
  await writeFile(config, configuration({ port, hostKeyFile, authorizedKeys }))

  const identityFile = join(directory, 'identity.json')
  let daemon: Awaited<ReturnType<typeof startDaemon>> | undefined
  const start = async () => {
    const logFile = join(directory, `${randomUUID()}.log`)
    daemon = await startDaemon({ program: PROGRAM, args: ['-D', '-e', '-f', config], cwd: '/', logFile, identityFile, tag: '' })
    await waitFor('sshd to listen', async () => !(await portIsFree(port, '127.0.0.1')), { timeoutMs: TIMEOUT_MS })
  }
  const connections = async (): Promise<ProcessIdentity[]> => (daemon ? sshdsBelow(daemon.pid) : [])
  const stop = async () => {
    const left = await connections()
    if (daemon) await stopDaemon(daemon, { identityFile, graceMs: 3000 })
    daemon = undefined
    for (const each of left) signalProcess(each, 'SIGKILL')
  }
  const engine = async (engineId: string): Promise<ProcessIdentity> => {
    const [pid, ticks, boot] = (await readFile(join(root, 'engines', engineId, 'identity'), 'utf8')).split(' ')
    return { pid: Number(pid), startTime: `${boot}:${ticks}` }
  }
  const signalAll = (signal: NodeJS.Signals) => async () => {
    for (const each of await connections()) signalProcess(each, signal)
  }
  await start()
  return {
    target: { host: '127.0.0.1', port, user, keyFile, hostKey: parseHostKey(hostKey!)! },
    hostKey: hostKey!.trim(),
    keyFile,
    root,
    user,
    drop: signalAll('SIGKILL'),
    freeze: signalAll('SIGSTOP'),
    thaw: signalAll('SIGCONT'),
    stop,
    start,
    engine,
    async [Symbol.asyncDispose]() {
      await stop()
      const homeThere = `HOME=${join(root, 'home')}`
      await waitFor('all that ran there to end', async () => (await endAllWith(homeThere)) === 0, { timeoutMs: TIMEOUT_MS })
      await rm(directory, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Kills every process that has this in its environment, and tells how many there were. */
async function endAllWith(variable: string): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '') // gone, or another user's
      return environment.split('\0').includes(variable) ? identify(Number(pid)) : null
    }),
  )
  return found.filter((each) => each !== null && signalProcess(each, 'SIGKILL')).length
}

/** The parts of an sshd that keep one connection each: all of its name that descend from it. */
async function sshdsBelow(pid: number): Promise<ProcessIdentity[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const rows = await Promise.all(
    pids.map(async (each) => {
      const stat = await readFile(`/proc/${each}/stat`, 'utf8').catch(() => '')
      const [, name, parent] = /^\d+ \((.*)\) \S (\d+)/.exec(stat) ?? []
      return { pid: Number(each), name, parent: Number(parent) }
    }),
  )
  const below = (parent: number): number[] =>
    rows.filter((row) => row.parent === parent && row.name === 'sshd').flatMap((row) => [row.pid, ...below(row.pid)])
  return below(pid).flatMap((each) => identify(each) ?? [])
}

function configuration(options: { port: number; hostKeyFile: string; authorizedKeys: string }): string {
  return `ListenAddress 127.0.0.1
Port ${options.port}
HostKey ${options.hostKeyFile}
AuthorizedKeysFile ${options.authorizedKeys}
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
LogLevel VERBOSE
`
}
