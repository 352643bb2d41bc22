import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { freePort, waitFor } from '@skipcast/runtime'
import { freePorts, gapMeter, hears, hearTone, openListener, temporaryHome, toneFile, type TemporaryHome } from '../src/index.ts'
import { pacedServer } from './paced-server.ts'

jest.setTimeout(30_000)

let home: TemporaryHome
const tones = new Map<number, Buffer>()
/** How late the test's own process was at most, which sends and hears both. */
const stalls = monitorEventLoopDelay({ resolution: 10 })
const lateMs = () => 100 + (2 * stalls.max) / 1e6

beforeAll(async () => {
  home = await temporaryHome()
  for (const frequencyHz of [440, 550, 660, 880]) {
    tones.set(frequencyHz, await readFile(await toneFile(join(home.path, `${frequencyHz}.mp3`), { frequencyHz, seconds: 4 })))
  }
  tones.set(
    0,
    await readFile(await toneFile(join(home.path, 'silence.mp3'), { frequencyHz: 440, seconds: 4, levelDbfs: -Infinity })),
  )
})
afterAll(async () => home[Symbol.asyncDispose]())

beforeEach(() => {
  stalls.enable()
  stalls.reset()
})
afterEach(() => void stalls.disable())

describe('openListener', () => {
  test('tells the answer, when the first byte came, and that the connection is kept', async () => {
    await using server = await pacedServer(tones.get(440)!)
    const asked = performance.now()
    await using listener = await openListener(server.url)
    expect(listener.answer.status).toBe(200)
    expect(listener.answer.headers.get('content-type')).toBe('audio/mpeg')
    const firstByteAt = await waitFor('the first byte', () => listener.firstByteAt, { timeoutMs: 3000 })
    expect(firstByteAt).toBeGreaterThan(asked)
    await waitFor('a second of sound', () => listener.heard.playMs > 1000, { timeoutMs: 5000 })
    expect(listener.isConnected).toBe(true)
    expect(listener.closures).toEqual([])
    expect(listener.heard).toMatchObject({ resyncs: 0, skippedBytes: 0 })
    expect(listener.gapSince(firstByteAt)).toBeLessThan(50 + lateMs())
  })

  test('measures the gaps that were injected', async () => {
    await using server = await pacedServer(tones.get(440)!)
    await using listener = await openListener(server.url)
    const start = await waitFor('the first byte', () => listener.firstByteAt, { timeoutMs: 3000 })
    await waitFor('some sound', () => listener.heard.playMs > 1000, { timeoutMs: 5000 })
    for (const pauseMs of [300, 900]) {
      const mark = performance.now()
      const injected = await server.pause(pauseMs)
      await waitFor('the sound to go on', () => listener.arrivals.at(-1)! > mark + pauseMs, { timeoutMs: 5000 })
      expect(injected).toBeGreaterThanOrEqual(pauseMs)
      expect(Math.abs(listener.gapSince(mark) - injected)).toBeLessThan(lateMs())
    }
    const after = performance.now()
    await waitFor('more sound', () => listener.framesSince(after).length > 40, { timeoutMs: 5000 })
    const gaps = gapMeter(listener).between(start)
    expect(gaps.max).toBeGreaterThan(850)
    expect(gaps.p50).toBeLessThan(50)
    expect(listener.gapSince(after)).toBeLessThan(50 + lateMs())
  })

  test('counts an open gap while it lasts', async () => {
    await using server = await pacedServer(tones.get(440)!)
    await using listener = await openListener(server.url)
    await waitFor('some sound', () => listener.heard.frames > 5, { timeoutMs: 5000 })
    const mark = performance.now()
    void server.pause(60_000)
    await waitFor('the gap to grow', () => listener.gapSince(mark) > 400, { timeoutMs: 3000 })
  })

  test('counts frames that a switch has cut, and hears on', async () => {
    await using server = await pacedServer(tones.get(440)!)
    await using listener = await openListener(server.url)
    await hears(listener, 440, { timeoutMs: 5000 })
    server.play(tones.get(880)!, 200)
    await hears(listener, 880, { timeoutMs: 5000 })
    expect(listener.heard).toMatchObject({ resyncs: 1, skippedBytes: 200 })
    expect(listener.closures).toEqual([])
  })

  test('notes titles with their times, and does not take them for audio', async () => {
    await using server = await pacedServer(tones.get(440)!)
    await using listener = await openListener(server.url)
    server.title("Don't – Stöp")
    const heard = await waitFor('the title', () => listener.titles.find(({ title }) => title === "Don't – Stöp"), {
      timeoutMs: 5000,
    })
    expect(heard.at).toBeLessThanOrEqual(performance.now())
    expect(listener.heard).toMatchObject({ resyncs: 0, skippedBytes: 0 })
    await using plain = await openListener(server.url, { icy: false })
    expect(plain.answer.headers.has('icy-metaint')).toBe(false)
  })

  test('tells when and why a connection ended', async () => {
    await using server = await pacedServer(tones.get(440)!)
    await using listener = await openListener(server.url)
    await waitFor('some sound', () => listener.heard.frames > 5, { timeoutMs: 5000 })
    const dropped = performance.now()
    server.drop()
    const [closure] = await waitFor('the end', () => listener.closures.length > 0 && listener.closures, { timeoutMs: 3000 })
    expect(closure!.at).toBeGreaterThan(dropped)
    expect(listener.isConnected).toBe(false)
    expect(listener.attempts).toBe(1)
  })

  test('comes back when told to, through refusals, and counts it', async () => {
    await using server = await pacedServer(tones.get(440)!)
    server.answerWith(404)
    await using listener = await openListener(server.url, { reconnectAfterMs: 20 })
    expect(listener.answer.status).toBe(404)
    expect(listener.heard.frames).toBe(0)
    await waitFor('more attempts', () => listener.attempts > 3, { timeoutMs: 3000 })
    server.answerWith(200)
    await hears(listener, 440, { timeoutMs: 5000 })
    expect(listener.closures).toEqual([])
    expect(listener.reconnects).toBe(0)
    server.drop()
    await waitFor('the connection to come back', () => listener.reconnects === 1, { timeoutMs: 3000 })
    await hears(listener, 440, { timeoutMs: 5000 })
    expect(listener.closures).toHaveLength(1)
  })

  test('says so when nobody is there, nobody answers, or no HTTP is spoken', async () => {
    await expect(openListener(`http://127.0.0.1:${await freePort()}/x`)).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' })
    await expect(openListener('https://127.0.0.1/x')).rejects.toThrow('plain HTTP')
    const rude = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.write('220 mail\r\n\r\n')))
    const mute = createServer((socket) => socket.on('error', () => {}).resume())
    for (const server of [rude, mute]) await once(server.listen(0, '127.0.0.1'), 'listening')
    const url = (server: typeof rude) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    await expect(openListener(url(rude))).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' })
    await expect(openListener(url(mute), { timeoutMs: 200 })).rejects.toMatchObject({ code: 'TIMEOUT' })
    for (const server of [rude, mute]) await new Promise((closed) => server.close(closed))
  })
})

describe('hearTone and hears', () => {
  test('tell four tones and silence apart', async () => {
    await using server = await pacedServer(tones.get(0)!)
    await using listener = await openListener(server.url)
    await waitFor('a second of silence', () => listener.heard.playMs > 1000, { timeoutMs: 5000 })
    expect((await hearTone(listener, { lastMs: 800 })).frequencyHz).toBeNull()
    for (const frequencyHz of [440, 550, 660, 880]) {
      server.play(tones.get(frequencyHz)!)
      const tone = await hears(listener, frequencyHz, { timeoutMs: 5000 })
      expect(Math.abs(tone.frequencyHz! - frequencyHz)).toBeLessThan(1)
      expect(Math.abs(tone.levelDbfs - -12)).toBeLessThan(1)
      expect(tone.share).toBeGreaterThan(0.9)
      expect((await hearTone(listener, { lastMs: 300 })).frequencyHz).toBeCloseTo(frequencyHz, 0)
    }
  })

  test('tell what was heard instead', async () => {
    await using server = await pacedServer(tones.get(440)!)
    await using listener = await openListener(server.url)
    await expect(hears(listener, 880, { timeoutMs: 1500 })).rejects.toThrow(/880 Hz; heard last: 440 Hz at -1[123] dBFS/)
    server.play(tones.get(0)!)
    await waitFor('silence', () => listener.framesSince(0).at(-1)!.silent, { timeoutMs: 3000 })
    await expect(hears(listener, 880, { timeoutMs: 1500 })).rejects.toThrow('heard last: silence')
  })

  test('hear silence where nothing was received', async () => {
    expect((await hearTone({ framesSince: () => [] }, { lastMs: 1000 })).frequencyHz).toBeNull()
  })
})

test('freePorts gives different ports', async () => {
  const ports = await freePorts(5)
  expect(new Set(ports).size).toBe(5)
})
