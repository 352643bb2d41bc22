import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { CONTENT_TYPES, silence as audioSilence, silentFrames } from '@skipcast/audio'
import { freePort, waitFor } from '@skipcast/runtime'
import { temporaryHome, toneFile } from '@skipcast/testing'
import { mountEars } from '../src/adapters/mount-ear.ts'

const TIMEOUT_MS = 10_000
let sound: Buffer
let sounds: Record<'opus' | 'aac', Buffer>
const silence = Buffer.concat(Array.from({ length: 40 }, () => silentFrames({ bitrateKbps: 128, sampleRate: 44_100 }).next()))

beforeAll(async () => {
  await using home = await temporaryHome()
  sound = await readFile(await toneFile(join(home.path, 'tone.mp3'), { frequencyHz: 440, seconds: 2 }))
  const other = async (ending: string) =>
    readFile(await toneFile(join(home.path, `tone.${ending}`), { frequencyHz: 440, seconds: 2 }))
  sounds = { opus: await other('opus'), aac: await other('aac') }
}, 30_000)

/** A server that answers listeners with what the test says, byte by byte. */
async function mount() {
  const port = await freePort()
  const sockets: Socket[] = []
  const requests: string[] = []
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (bytes) => {
      requests.push(bytes.toString())
      sockets.push(socket)
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  let news = 0
  const openEar = mountEars({ host: '127.0.0.1', port, now: () => performance.now() })
  const ear = openEar({ mount: '/a', token: 'a-token' }, () => (news += 1))
  return {
    ear,
    openEar,
    requests,
    news: () => news,
    connection: (count: number) =>
      waitFor('a listener', () => sockets.length >= count && sockets[count - 1], { timeoutMs: TIMEOUT_MS }),
    until: (what: string, condition: () => boolean) => waitFor(what, condition, { timeoutMs: TIMEOUT_MS, everyMs: 5 }),
    async [Symbol.asyncDispose]() {
      await ear[Symbol.asyncDispose]()
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
const OK = 'HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\nicy-metaint: 100000\r\n\r\n'

describe('our own listener', () => {
  test('says who it is, and tells silence from sound', async () => {
    await using subject = await mount()
    const { ear } = subject
    const socket = await subject.connection(1)
    expect(subject.requests[0]).toMatch(/^GET \/a HTTP\/1\.[01]\r\n/)
    expect(subject.requests[0]!.toLowerCase()).toContain('user-agent: skipcast-monitor/1')
    socket.write(OK)
    socket.write(silence)
    await subject.until('bytes', () => ear.heard.lastByteAt !== null)
    expect(ear.heard).toMatchObject({ isPresent: true, lastSoundAt: null, lastGreetingSoundAt: null })
    expect(subject.news()).toBe(0)
  })

  test('hears the title', async () => {
    await using subject = await mount()
    const socket = await subject.connection(1)
    const title = Buffer.from("StreamTitle='Björk - 漢字';")
    const block = Buffer.concat([Buffer.of(Math.ceil(title.length / 16)), title, Buffer.alloc((16 - (title.length % 16)) % 16)])
    socket.write(OK.replace('100000', '417'))
    socket.write(Buffer.concat([silence.subarray(0, 417), block, silence.subarray(417, 834)]))
    await subject.until('the title', () => subject.ear.heard.titles.at(-1) === 'Björk - 漢字')
  })

  test.each(['opus', 'aac'] as const)('tells silence from sound in %s, also in the same bytes', async (format) => {
    await using subject = await mount()
    const { ear } = subject
    const socket = await subject.connection(1)
    const source = audioSilence({ format, bitrateKbps: 128, sampleRate: 44_100 })
    socket.write(OK.replace('audio/mpeg', CONTENT_TYPES[format]))
    socket.write(Buffer.concat([source.head, source.next()]))
    await subject.until('bytes', () => ear.heard.lastByteAt !== null)
    const began = ear.heard.lastByteAt!
    await subject.until('the greeting to be over', () => performance.now() - began > 600)
    socket.write(source.next())
    await subject.until('silence', () => ear.heard.lastByteAt! > began)
    expect(ear.heard).toMatchObject({ lastSoundAt: null, lastGreetingSoundAt: null })
    // Little enough to arrive as one piece.
    const second = Array.from({ length: 40 }, () => source.next())
    socket.write(Buffer.concat([sounds[format], ...second]))
    await subject.until('sound and silence', () => ear.heard.lastByteAt! - (ear.heard.lastSoundAt ?? Infinity) > 200)
  })

  test('does not take what it is greeted with for what sounds now', async () => {
    await using subject = await mount()
    const { ear } = subject
    const socket = await subject.connection(1)
    socket.write(OK)
    socket.write(sound.subarray(0, 16_000))
    await subject.until('the greeting', () => ear.heard.lastGreetingSoundAt !== null)
    expect(ear.heard.lastSoundAt).toBeNull()
    await subject.until('the greeting to be over', () => performance.now() - ear.heard.lastByteAt! > 600)
    socket.write(sound.subarray(16_000, 24_000))
    await subject.until('sound', () => ear.heard.lastSoundAt !== null)
    // A second of audio came at once, 0.6 s ago: a player still has the rest of it in its buffer.
    expect(ear.heard.delayMs).toBeGreaterThan(0)
    expect(ear.heard.delayMs).toBeLessThan(1000)
    expect(subject.news()).toBe(2)
  })

  test('is one of a few at a time who ask to be let in, however many there are', async () => {
    await using subject = await mount()
    const others = Array.from({ length: 19 }, (_, index) => subject.openEar({ mount: `/${index}`, token: 'a-token' }, () => {}))
    const first = await subject.connection(8)
    expect(first).toBeDefined()
    expect(subject.requests).toHaveLength(8)
    for (let asked = 8; asked < 20; asked++) {
      ;(await subject.connection(asked - 7)).write(OK)
      await subject.connection(asked + 1)
      expect(subject.requests).toHaveLength(asked + 1)
    }
    for (const other of others) await other[Symbol.asyncDispose]()
  })

  test('comes back after it was refused or dropped, at once when asked to', async () => {
    await using subject = await mount()
    const { ear } = subject
    expect(ear.heard.isPresent).toBe(true)
    ;(await subject.connection(1)).end('HTTP/1.0 404 Not Found\r\n\r\n')
    await subject.until('the refusal', () => !ear.heard.isPresent)
    ;(await subject.connection(2)).destroy()
    const third = await subject.connection(3)
    third.write(OK)
    third.write(silence)
    await subject.until('the connection', () => ear.heard.isPresent)
    third.destroy()
    await subject.until('the end', () => !ear.heard.isPresent)
    ear.nudge()
    ear.nudge()
    await subject.connection(4)
  })
})
