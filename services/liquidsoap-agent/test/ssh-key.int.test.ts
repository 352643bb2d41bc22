import { spawn } from 'node:child_process'
import { copyFile, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { freePort, runCommand } from '@skipcast/runtime'
import { temporaryHome, type TemporaryHome } from '@skipcast/testing'
import { checkSshHost } from '../src/adapters/ssh/check-ssh-host.ts'
import { connectSsh } from '../src/adapters/ssh/ssh-connection.ts'
import { fingerprint, parseHostKey } from '../src/domain/ssh-target.ts'
import { testSshd, type TestSshd } from './test-sshd.ts'

// What the agent's key opens on a host, whoever has it; and which machines the agent takes for that host.

let sshd: TestSshd
let home: TemporaryHome
let knownHosts: string

beforeAll(async () => {
  sshd = await testSshd()
  home = await temporaryHome()
  knownHosts = join(home.path, 'known-hosts')
  await writeFile(knownHosts, `[127.0.0.1]:${sshd.target.port} ${sshd.hostKey}\n`)
}, 60_000)
afterAll(async () => {
  await sshd[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const options = () => [
  '-i',
  sshd.keyFile,
  '-o',
  `UserKnownHostsFile=${knownHosts}`,
  '-o',
  'BatchMode=yes',
  '-o',
  'IdentitiesOnly=yes',
]
const there = () => `${sshd.user}@127.0.0.1`

/** Runs OpenSSH's own client, as whoever stole the key would. */
function client(
  program: 'ssh' | 'scp' | 'sftp',
  args: readonly string[],
  input = '',
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const port = program === 'ssh' ? '-p' : '-P'
    const child = spawn(program, [...options(), port, `${sshd.target.port}`, ...args])
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => (output += piece.toString('latin1')))
    child
      .once('error', reject)
      .once('close', (code) => resolve({ code, output: output.replace(/^Could not chdir to home .*\n/m, '') }))
    child.stdin.on('error', () => {}).end(input)
  })
}

/** All but the caches of Liquidsoap's libraries. */
const namesThere = async () => (await readdir(sshd.root, { recursive: true })).filter((name) => !name.startsWith('home/')).sort()
const FOLDERS = ['cache', 'drafts', 'engines', 'home', 'scripts']

describe('the key of an agent', () => {
  test('runs no command of its holder, whatever that looks like', async () => {
    const canary = join(sshd.root, 'canary')
    const commands = [
      'rm -rf /nowhere-at-all',
      `touch ${canary}`,
      `$(touch ${canary})`,
      `\`touch ${canary}\``,
      `session; touch ${canary}`,
      `session\ntouch ${canary}`,
      `session && touch ${canary}`,
      'session ',
      ' put',
      'PUT',
      'put ../../etc/passwd',
      'bash -i',
      'x'.repeat(10_000),
    ]
    for (const command of commands) {
      const { code, output } = await client('ssh', [there(), command])
      expect({ command, code }).toEqual({ command, code: 2 })
      expect(output).toContain('this key is for a Skipcast agent')
    }
    expect(await namesThere()).not.toContain('canary')
  }, 60_000)

  test('opens no shell and no terminal', async () => {
    const shell = await client('ssh', [there()], 'id\n')
    expect(shell.code).toBe(2)
    expect(shell.output).not.toContain('uid=')
    const terminal = await client('ssh', ['-tt', there()], 'id\n')
    expect(terminal.output).toContain('PTY allocation request failed')
    expect(terminal.output).not.toContain('uid=')
  }, 30_000)

  test('copies no files, with scp or sftp, there or back', async () => {
    const file = join(home.path, 'file')
    await writeFile(file, 'content')
    for (const legacy of [[], ['-O']]) {
      expect((await client('scp', [...legacy, file, `${there()}:file`])).code).not.toBe(0)
      expect((await client('scp', [...legacy, `${there()}:/etc/passwd`, join(home.path, 'stolen')])).code).not.toBe(0)
    }
    expect((await client('sftp', [there()], `put ${file}\n`)).code).not.toBe(0)
    expect(await readdir(home.path)).not.toContain('stolen')
    expect((await namesThere()).filter((name) => name.includes('file'))).toEqual([])
  }, 60_000)

  test('forwards no ports, either way', async () => {
    const through = await client('ssh', ['-W', `127.0.0.1:${sshd.target.port}`, there()])
    expect(through.code).not.toBe(0)
    expect(through.output).not.toContain('SSH-2.0')
    const port = await freePort()
    const back = await client('ssh', ['-o', 'ExitOnForwardFailure=yes', '-R', `${port}:127.0.0.1:1`, there(), 'session'])
    expect(back.code).not.toBe(0)
    expect(back.output).toContain('remote port forwarding failed')
  }, 30_000)

  test('A5: names nothing outside of its folder, and commands nothing but channels', async () => {
    const hash = 'a'.repeat(64)
    const say = async (...requests: string[]) => (await client('ssh', [there(), 'session'], requests.join(''))).output
    for (const request of [
      '1 stop .. term 0\n',
      '1 plan abc ..a 0\n',
      '1 plan abc .ssh 0\n',
      '1 evict cache 0\n',
      `1 start abc ${hash} 1e9 10 0 3 0\n`,
      '1 events abc other 0 0\n',
      '1 start ABC 0\n',
      '1 list all 0\n',
      '1 control abc 500 9\nhub.quit\n',
      '1 control abc 500 27\nhub.status\nhub.add {"a":1}\n',
    ])
      expect({ request, answer: await say(request) }).toEqual({ request, answer: '1 no invalid 0\n' })
    expect(await say('1 reboot 0\n')).toBe('1 no verb 0\n')
    for (const hostile of [
      '1 stop ../x term 0\n',
      '1 stop $(id) term 0\n',
      'GET / HTTP/1.1\r\n\r\n',
      '\0\0\0\0\n',
      '1 hello 99999999\n',
    ])
      expect(await say(hostile)).toMatch(/^skipcast-host: .* (no request|too long)\n$/)
    const put = async (text: string) => (await client('ssh', [there(), 'put'], text)).output
    for (const head of ['media ../../x 1 0\nx', `other ${hash} 1 0\nx`, `media ${hash} -1 0\nx`, `media ${hash} 1\nx`, ''])
      expect(await put(head)).toBe('skipcast-host: this is no file to put\n')
    expect(await put(`media ${hash} 1 0\nx`)).toBe('hash\n')
    expect(await put(`media ${hash} 10 0\nx`)).toBe('short\n')
    expect(await put(`media ${hash} 999999999999999 0\nx`)).toBe('large\n')
    expect(await put(`media ${hash} 1 999999999999999\nx`)).toBe('space\n')
    expect(await namesThere()).toEqual(FOLDERS)
  }, 120_000)
})

describe('an agent', () => {
  test('takes no other machine for its host, and says what to do', async () => {
    const file = join(home.path, 'other-key')
    await runCommand('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file], { timeoutMs: 10_000 })
    const other = parseHostKey(await readFile(`${file}.pub`, 'utf8'))!
    const refused = connectSsh({ ...sshd.target, hostKey: other })
    await expect(refused).rejects.toMatchObject({ code: 'HOST_KEY_REFUSED' })
    await expect(refused).rejects.toThrow(fingerprint(other.bytes))
    await expect(refused).rejects.toThrow(fingerprint(sshd.target.hostKey.bytes))
    await expect(refused).rejects.toThrow('ssh-keygen -lf')

    await runCommand('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-f', `${file}-ecdsa`], { timeoutMs: 10_000 })
    const ofOtherKind = parseHostKey(await readFile(`${file}-ecdsa.pub`, 'utf8'))!
    await expect(connectSsh({ ...sshd.target, hostKey: ofOtherKind })).rejects.toMatchObject({ code: 'HOST_KEY_REFUSED' })
  }, 30_000)

  test('tells why it is not let in', async () => {
    const keyFile = join(home.path, 'stranger')
    await runCommand('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', keyFile], { timeoutMs: 10_000 })
    await expect(connectSsh({ ...sshd.target, keyFile })).rejects.toMatchObject({
      code: 'HOST_LOGIN_REFUSED',
      message: expect.stringContaining('deploy/ssh/install'),
    })
    const missing = join(home.path, 'no-such-key')
    await expect(connectSsh({ ...sshd.target, keyFile: missing })).rejects.toMatchObject({ code: 'HOST_LOGIN_REFUSED' })
    await copyFile(knownHosts, missing)
    await expect(connectSsh({ ...sshd.target, keyFile: missing })).rejects.toThrow('no private key')
    const port = await freePort()
    await expect(connectSsh({ ...sshd.target, port })).rejects.toMatchObject({
      code: 'HOST_UNREACHABLE',
      message: expect.stringContaining('is sshd running'),
    })
  }, 30_000)

  test('finds the Liquidsoap of a host that is as it should be, and leaves nothing there', async () => {
    expect(await checkSshHost(sshd.target)).toEqual({ liquidsoap: expect.stringMatching(/^\d/) })
    const port = await freePort()
    expect(await checkSshHost({ ...sshd.target, port })).toEqual({ problem: expect.stringContaining(`127.0.0.1:${port}`) })
    expect(await namesThere()).toEqual(FOLDERS)
    expect((await stat(sshd.root)).isDirectory()).toBe(true)
  }, 30_000)
})
