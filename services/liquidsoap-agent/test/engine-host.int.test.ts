import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { isAlive, waitFor } from '@skipcast/runtime'
import { hears, openListener, temporaryHome, type TemporaryHome } from '@skipcast/testing'
import { readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises'
import type { EngineHost } from '../src/ports.ts'
import { engineHostContract } from './engine-host.contract.ts'
import { localHostUnderTest, oneTone, openLocalHost } from './local-host-under-test.ts'
import { SOURCE_PASSWORD, testIcecast, type TestIcecast } from './test-icecast.ts'
import { aStream } from './streams.ts'

engineHostContract('local processes', localHostUnderTest('liquidsoap'))

describe('an engine of this machine', () => {
  let icecast: TestIcecast
  let media: TemporaryHome
  let home: TemporaryHome
  let host: EngineHost
  let id: string

  const open = (directory: TemporaryHome, program = 'liquidsoap') => openLocalHost(directory, { icecast, media, program })

  beforeAll(async () => {
    icecast = await testIcecast()
    media = await oneTone()
  }, 60_000)
  afterAll(async () => {
    await icecast[Symbol.asyncDispose]()
    await media[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    home = await temporaryHome()
    host = await open(home)
    await host.start()
    id = (await host.list())[0]!.id
  })
  afterEach(async () => {
    for (const engine of await host.list()) await host.stop(engine.id, { kill: true })
    await host[Symbol.asyncDispose]()
    await home[Symbol.asyncDispose]()
  })

  const directory = () => join(home.path, 'agent/engines', id)

  test('goes on in a new events file when the old one was read and is long', async () => {
    const seqs: number[] = []
    const take = async () => {
      for (let events = await host.readEvents(id); events.length > 0; events = await host.readEvents(id)) {
        seqs.push(...events.map(({ seq }) => seq))
        await host.acknowledge(id, events.at(-1)!.seq)
      }
    }
    const wordy = aStream('a', { channel_slug: 'x'.repeat(20_000), source_token: SOURCE_PASSWORD })
    for (let round = 0; round < 40; round++) {
      await host.add(id, wordy)
      await host.remove(id, 'a')
      await take()
    }
    await host.add(id, aStream('b'))
    await take()
    expect(seqs).toEqual(seqs.map((_, index) => index + 1))
    expect(seqs.length).toBeGreaterThanOrEqual(81)
    expect((await stat(join(directory(), 'run/events.jsonl'))).size).toBeLessThan(1_000_000)
    expect(await readdir(join(directory(), 'run'))).not.toContain('events.old.jsonl')
  }, 60_000)

  test('that does not start leaves nothing behind, and is told at once', async () => {
    await using other = await temporaryHome()
    for (const [program, code] of [
      ['no-such-program', 'PROGRAM_MISSING'],
      ['false', 'ENGINE_START_FAILED'],
    ] as const) {
      await using broken = await open(other, program)
      await expect(broken.start()).rejects.toMatchObject({ code })
      expect(await readdir(join(other.path, 'agent/engines'))).toEqual([])
    }
  })

  test('is found and ended also when its starter died before it could write down who it is', async () => {
    const identity = join(directory(), 'identity.json')
    const { pid, startTime, tag } = JSON.parse(await readFile(identity, 'utf8'))
    const starting = /SKIPCAST_DAEMON=([^\0]+)/.exec(await readFile(`/proc/${pid}/environ`, 'utf8'))![1]!
    await writeFile(identity, JSON.stringify({ starting, tag })) // as it was just before
    expect(await host.list()).toMatchObject([{ id, state: 'running' }])
    await host.stop(id)
    expect(isAlive({ pid, startTime })).toBe(false)
  })

  test('A4, A6, L1: listens on no network, only on a socket of its own that nobody else may open', async () => {
    const { pid } = JSON.parse(await readFile(join(directory(), 'identity.json'), 'utf8'))
    const descriptors = await readdir(`/proc/${pid}/fd`)
    const targets = await Promise.all(descriptors.map((each) => readlink(`/proc/${pid}/fd/${each}`).catch(() => '')))
    const own = new Set(targets.map((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1]))
    expect(own.size).toBeGreaterThan(1)
    for (const protocol of ['tcp', 'tcp6', 'udp', 'udp6']) {
      const rows = (await readFile(`/proc/net/${protocol}`, 'utf8')).split('\n').slice(1)
      const cells = rows.map((row) => row.trim().split(/\s+/))
      const LISTENS = '0A'
      const open = cells.filter(([, , , state]) => protocol.startsWith('udp') || state === LISTENS)
      expect(open.map((row) => row[9]).filter((inode) => own.has(inode))).toEqual([])
    }
    expect((await stat(join(directory(), 'run/control.sock'))).mode & 0o777).toBe(0o600)
  })

  test('is asked to end, and killed when it does not in three seconds', async () => {
    const { pid, startTime } = JSON.parse(await readFile(join(directory(), 'identity.json'), 'utf8'))
    process.kill(pid, 'SIGSTOP') // it gets no other signal but KILL now
    const mark = performance.now()
    await host.stop(id)
    expect(performance.now() - mark).toBeGreaterThanOrEqual(3000)
    expect(isAlive({ pid, startTime })).toBe(false)
    expect(await host.list()).toEqual([])
  })

  test('plays at the bitrate that was asked for when it encodes', async () => {
    for (const bitrate_kbps of [64, 192]) {
      const mount = `/encoded-${bitrate_kbps}`
      await host.add(
        id,
        aStream(`encoded-${bitrate_kbps}`, { mode: 'encode', bitrate_kbps, mount, source_token: SOURCE_PASSWORD }),
      )
      await using listener = await openListener(icecast.urlOf(mount), { reconnectAfterMs: 20 })
      const frames = await waitFor('frames', () => listener.framesSince(0).length > 20 && listener.framesSince(0), {
        timeoutMs: 10_000,
      })
      expect(new Set(frames.map((frame) => frame.bitrateKbps))).toEqual(new Set([bitrate_kbps]))
      await hears(listener, 440, { timeoutMs: 10_000 })
    }
  }, 60_000)
})
