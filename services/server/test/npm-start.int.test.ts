import { spawn } from 'node:child_process'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { freePorts, openListener, processesOf, temporaryHome } from '@skipcast/testing'

const root = fileURLToPath(new URL('../../..', import.meta.url))
let home: Awaited<ReturnType<typeof temporaryHome>>
let variables: Record<string, string>

beforeAll(async () => {
  home = await temporaryHome()
  const [api, icecast] = await freePorts(2)
  variables = { API_PORT: String(api), ICECAST_PORT: String(icecast), SKIPCAST_HOME: home.path }
})
afterAll(async () => home[Symbol.asyncDispose]())

function npmStart(extra: Record<string, string> = {}) {
  const child = spawn('npm', ['start'], {
    cwd: root,
    detached: true, // a process group of its own, as in a terminal
    env: { ...process.env, ...variables, ...extra },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  /** As a terminal does on Ctrl-C: everybody in the group gets the signal. */
  const interrupt = (signal: NodeJS.Signals = 'SIGINT') => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, signal)
    return ended
  }
  return { ended, interrupt, output: () => output, [Symbol.asyncDispose]: async () => void (await interrupt()) }
}

test('while Kafka is fetched it is not ready, and Ctrl-C ends it, and starts nothing else first', async () => {
  const [probes] = await freePorts(1)
  await using skipcast = npmStart({ METRICS_PORT: String(probes) })
  await waitFor('the fetch', () => skipcast.output().includes('fetching Kafka'), { timeoutMs: 60_000, everyMs: 20 })
  const readyz = await fetch(`http://127.0.0.1:${probes}/readyz`)
  expect(await readyz.json()).toMatchObject({ ready: false, dependencies: { start: { ok: false } } })
  await skipcast.interrupt()
  expect(skipcast.output()).not.toMatch(/in-memory bus|started/)
  expect(await processesOf(home.path)).toEqual([])
}, 90_000)

test('npm start puts the demo on air, tells how to go on, and Ctrl-C leaves nothing behind', async () => {
  await using skipcast = npmStart()
  const { output } = skipcast
  await waitFor('the welcome', () => output().includes('is on air:'), { timeoutMs: 180_000, everyMs: 100 })
  expect(output()).toContain(`http://localhost:${variables['ICECAST_PORT']}/demo`)
  expect(output()).toContain('/docs')
  const tokenFile = join(home.path, 'admin-token')
  expect(output()).toContain(tokenFile)
  expect((await stat(tokenFile)).mode & 0o777).toBe(0o600)
  expect(output()).not.toContain((await readFile(tokenFile, 'utf8')).trim())

  await using listener = await openListener(`http://127.0.0.1:${variables['ICECAST_PORT']}/demo`)
  await waitFor('music', () => listener.framesSince(0).some((frame) => !frame.silent), { timeoutMs: 10_000 })
  const artwork = `http://127.0.0.1:${variables['API_PORT']}/api/channels/demo/artwork`
  await waitFor('the artwork', async () => (await fetch(artwork)).headers.get('content-type') === 'image/jpeg', {
    timeoutMs: 30_000,
    everyMs: 100,
  })

  await skipcast.interrupt()
  expect(await processesOf(home.path)).toEqual([])
}, 240_000)

test('a second start is quick, speaks of no trouble, and leaves the demo as it was', async () => {
  const before = performance.now()
  await using skipcast = npmStart()
  await waitFor('the welcome', () => skipcast.output().includes('is on air:'), { timeoutMs: 120_000, everyMs: 50 })
  console.log(`second start: on air after ${((performance.now() - before) / 1000).toFixed(1)} s`)
  expect(skipcast.output()).not.toMatch(/out of reach|not well/)
  expect(skipcast.output()).toContain('a channel was given to an engine')
  await skipcast.interrupt('SIGTERM')
  expect(await processesOf(home.path)).toEqual([])
}, 180_000)

test('npm start works again after kill -9 of every process', async () => {
  await using killed = npmStart()
  await waitFor('the welcome', () => killed.output().includes('is on air:'), { timeoutMs: 120_000, everyMs: 50 })
  for (const { pid } of await processesOf(home.path)) process.kill(pid, 'SIGKILL')
  await killed.ended
  await using skipcast = npmStart()
  await waitFor('the welcome', () => skipcast.output().includes('is on air:'), { timeoutMs: 120_000, everyMs: 50 })
  await skipcast.interrupt()
  expect(await processesOf(home.path)).toEqual([])
}, 240_000)

test('taken ports are told all at once, with the variables that choose others', async () => {
  const taken = ['API_PORT', 'ICECAST_PORT']
  const squatters = taken.map((variable) => createServer().listen(Number(variables[variable]), '127.0.0.1'))
  await using skipcast = npmStart()
  const { output, ended } = skipcast
  expect(await ended).toBe(1)
  for (const variable of taken)
    expect(output()).toContain(`Port ${variables[variable]} is taken by another program. Choose another one: ${variable}=`)
  expect(await processesOf(home.path)).toEqual([])
  for (const squatter of squatters) squatter.close()
}, 120_000)

test('where no Kafka can be had it says so aloud and runs on the in-memory bus', async () => {
  const oldJava = join(home.path, 'old-java')
  await mkdir(oldJava)
  await writeFile(join(oldJava, 'java'), '#!/bin/sh\necho \'openjdk version "11.0.2"\' >&2\n', { mode: 0o755 })
  await using skipcast = npmStart({ PATH: `${oldJava}:${process.env['PATH']}` })
  await waitFor('the welcome', () => skipcast.output().includes('is on air:'), { timeoutMs: 120_000, everyMs: 50 })
  expect(skipcast.output()).toMatch(/No Kafka can be run here.*Java 17.*in-memory bus/)
  await skipcast.interrupt()
  expect(await processesOf(home.path)).toEqual([])
}, 180_000)
