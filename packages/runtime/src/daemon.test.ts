import { once } from 'node:events'
import { mkdtemp, open, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { findDaemon, retagDaemon, startDaemon, stopDaemon } from './daemon.ts'
import { identify, isAlive, signalProcess } from './process-identity.ts'
import { waitFor } from './wait-for.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skipcast-daemon-'))
})
afterEach(() => rm(directory, { recursive: true }))

async function openFiles(pid: number): Promise<string[]> {
  const descriptors = await readdir(`/proc/${pid}/fd`)
  return Promise.all(descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => 'closed')))
}

function sleeper(script = 'exec sleep 60') {
  return {
    program: '/bin/sh',
    args: ['-c', script],
    cwd: directory,
    logFile: join(directory, 'log'),
    identityFile: join(directory, 'identity.json'),
    tag: 'v1',
  }
}

describe('a daemon', () => {
  test('is found again by its identity file, with its tag, and stopped', async () => {
    const command = sleeper()
    const started = await startDaemon(command)
    expect(await findDaemon(command.identityFile)).toEqual(started)
    expect(started.tag).toBe('v1')
    await stopDaemon(started, { identityFile: command.identityFile, graceMs: 2000 })
    expect(isAlive(started)).toBe(false)
    expect(await findDaemon(command.identityFile)).toBeNull()
  })

  test('is found with its new tag once it took over something else', async () => {
    const command = sleeper()
    const started = await startDaemon(command)
    expect(await retagDaemon(started, { ...command, tag: 'v2' })).toEqual({ ...started, tag: 'v2' })
    expect(await findDaemon(command.identityFile)).toEqual({ ...started, tag: 'v2' })
    await stopDaemon(started, { identityFile: command.identityFile, graceMs: 2000 })
  })

  test('is found, and not its children, though we were killed before we knew its number', async () => {
    const command = sleeper('sleep 60 & sleep 60 & echo ready; wait')
    const started = await startDaemon(command)
    await waitFor('the children', async () => (await readFile(command.logFile, 'utf8')).includes('ready'), { timeoutMs: 2000 })
    const environment = await readFile(`/proc/${started.pid}/environ`, 'utf8')
    const starting = /SKIPCAST_DAEMON=([^\0]+)/.exec(environment)![1]!
    await writeFile(command.identityFile, JSON.stringify({ starting, tag: 'v1' })) // as it was just before
    expect(await findDaemon(command.identityFile)).toEqual(started)
    process.kill(-started.pid, 'SIGKILL')
    await waitFor('its end', async () => (await findDaemon(command.identityFile)) === null, { timeoutMs: 2000 })
  })

  test('is killed when it does not heed TERM', async () => {
    const command = sleeper(`trap '' TERM; echo ready; while :; do sleep 1; done`)
    const started = await startDaemon(command)
    await waitFor('the trap', async () => (await readFile(command.logFile, 'utf8')).includes('ready'), { timeoutMs: 2000 })
    await stopDaemon(started, { identityFile: command.identityFile, graceMs: 50 })
    expect(isAlive(started)).toBe(false)
  })

  test('is not taken for a later process with the same number', async () => {
    const command = sleeper()
    const started = await startDaemon(command)
    const impostor = { ...started, startTime: `${started.startTime}1` }
    expect(isAlive(impostor)).toBe(false)
    expect(signalProcess(impostor, 'SIGKILL')).toBe(false)
    expect(isAlive(started)).toBe(true)
    await stopDaemon(started, { identityFile: command.identityFile, graceMs: 2000 })
  })

  test('I3: gets no file or socket that we have open, and its log is 0600', async () => {
    await using ours = await open(join(directory, 'ours'), 'w')
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const before = new Set(await openFiles(process.pid))
    const command = sleeper()
    const started = await startDaemon(command)
    const leaked = (await openFiles(started.pid)).filter(
      (target) => target === join(directory, 'ours') || target.startsWith('socket:'),
    )
    expect(ours.fd).toBeGreaterThan(2)
    expect(before.has(join(directory, 'ours'))).toBe(true)
    expect(leaked).toEqual([])
    expect((await stat(command.logFile)).mode & 0o777).toBe(0o600)
    await stopDaemon(started, { identityFile: command.identityFile, graceMs: 2000 })
    server.close()
  })

  test('a program that is not there is told as such', async () => {
    await expect(startDaemon({ ...sleeper(), program: '/nowhere/icecast2' })).rejects.toMatchObject({ code: 'PROGRAM_MISSING' })
    expect(await findDaemon(sleeper().identityFile)).toBeNull()
  })
})

test('a process has an identity while it lives, and none that never lived', () => {
  expect(isAlive(identify(process.pid)!)).toBe(true)
  expect(identify(2 ** 22 + 1)).toBeNull()
})
