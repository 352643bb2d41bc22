import { spawn } from 'node:child_process'
import { cp, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { freePort, identify, portIsFree, runCommand, signalProcess, waitFor } from '@skipcast/runtime'
import { temporaryHome } from '@skipcast/testing'
import { checkSshHost } from '../src/adapters/ssh/check-ssh-host.ts'
import { parseHostKey } from '../src/domain/ssh-target.ts'

const INSTALLER = fileURLToPath(new URL('../../../deploy/ssh/install', import.meta.url))
const TIMEOUT_MS = 30_000

/**
 * A shell in which `/etc`, `/var/lib` and `/usr/local/lib` are copies or empty, so that an installation leaves this machine as it is.
 * Null where nobody may mount.
 */
async function asOnAnotherMachine(directory: string): Promise<((script: string) => readonly [string, readonly string[]]) | null> {
  for (const name of ['var', 'lib']) await mkdir(join(directory, name), { recursive: true })
  await cp('/etc', join(directory, 'etc'), { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  for (const name of ['passwd', 'shadow', 'group', 'gshadow']) {
    const file = join(directory, 'etc', name)
    const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => !line.startsWith('skipcast-host:'))
    await writeFile(file, lines.join('\n'))
  }
  const mounts = [
    ['etc', '/etc'],
    ['var', '/var/lib'],
    ['lib', '/usr/local/lib'],
  ].map(([from, to]) => `mount --bind ${directory}/${from} ${to}`)
  const inside = (script: string) => ['unshare', ['--mount', 'sh', '-ec', [...mounts, script].join('\n')]] as const
  const [program, args] = inside('true')
  return runCommand(program, args, { timeoutMs: TIMEOUT_MS }).then(
    () => inside,
    () => null,
  )
}

test('the installer makes a host that lets an agent in, changes nothing when it runs again, and says what is wrong', async () => {
  await using home = await temporaryHome()
  const inside = process.getuid?.() === 0 ? await asOnAnotherMachine(home.path) : null
  if (!inside) return console.warn('SKIPPED: nothing may be mounted here (needs root)')
  const keyFile = join(home.path, 'key')
  await runCommand('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'the agent', '-f', keyFile], { timeoutMs: TIMEOUT_MS })
  const key = (await readFile(`${keyFile}.pub`, 'utf8')).trim()
  const install = async (...args: string[]) => {
    const quoted = args.map((arg) => `'${arg.replaceAll("'", `'\\''`)}'`).join(' ')
    const [program, argv] = inside(`${INSTALLER} ${quoted}`)
    return (await runCommand(program, argv, { timeoutMs: TIMEOUT_MS })).stdout.toString('utf8')
  }

  const first = await install('--key', key)
  for (const number of [1, 2, 3, 4, 5]) expect(first).toMatch(new RegExp(`^\\[${number}/5\\] .* ok$`, 'm'))
  const authorized = join(home.path, 'var/skipcast-host/.ssh/authorized_keys')
  const line = `restrict,command="/usr/local/lib/skipcast/skipcast-host /var/lib/skipcast-host" ${key}\n`
  expect(await readFile(authorized, 'utf8')).toBe(line)
  expect(await install('--key', key)).toBe(first)
  expect(await readFile(authorized, 'utf8')).toBe(line)
  expect(await stat(authorized)).toMatchObject({ uid: 0, mode: 0o100644 })

  for (const hostile of [
    '',
    'rubbish',
    `command="sh" ${key}`,
    `${key}\nssh-ed25519 AAAA`,
    `${key}"; rm -rf /`,
    `ssh-ed25519 $(id)`,
  ])
    await expect(install('--key', hostile)).rejects.toMatchObject({ code: 'COMMAND_FAILED' })
  expect(await readFile(authorized, 'utf8')).toBe(line)

  // An sshd as strict as Debian's, with the account as it was made.
  const hostKey = parseHostKey(/"hostKey": "([^"]+)"/.exec(first)![1]!)!
  const port = await freePort()
  const config = join(home.path, 'sshd_config')
  await writeFile(
    config,
    `ListenAddress 127.0.0.1\nPort ${port}\nHostKey /etc/ssh/ssh_host_ed25519_key\nPidFile none\nUsePAM no\n`,
  )
  const [program, args] = inside(`exec /usr/sbin/sshd -D -e -f ${config}`)
  const sshd = spawn(program, args, { stdio: 'ignore' })
  const identity = identify(sshd.pid!)
  try {
    await waitFor('sshd to listen', async () => !(await portIsFree(port, '127.0.0.1')), { timeoutMs: TIMEOUT_MS })
    const target = { host: '127.0.0.1', port, user: 'skipcast-host', keyFile, hostKey }
    expect(await checkSshHost(target)).toEqual({ liquidsoap: expect.stringMatching(/^\d/) })
  } finally {
    if (identity) signalProcess(identity, 'SIGTERM')
  }
}, 120_000)
