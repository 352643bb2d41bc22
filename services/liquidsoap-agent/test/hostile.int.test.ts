import { access } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { StartStream, Track } from '@skipcast/contracts'
import { waitFor } from '@skipcast/runtime'
import { PLAYER_RESERVE_MS, hears, openListener, temporaryHome, type Listener, type TemporaryHome } from '@skipcast/testing'
import { rig, type Rig } from './agent-under-test.ts'
import { aStart } from './streams.ts'
import { SOURCE_PASSWORD, testIcecast, type TestIcecast } from './test-icecast.ts'

const TIMEOUT_MS = 20_000

let icecast: TestIcecast
let home: TemporaryHome
let subject: Rig
let agent: AsyncDisposable
let tone: Track
let neighbour: Listener

/** The agent runs a channel that must not notice anything of its hostile neighbours. */
beforeAll(async () => {
  icecast = await testIcecast()
  home = await temporaryHome()
  subject = rig(home, { ICECAST_PORT: `${icecast.port}` })
  tone = await subject.tone('tone', { frequencyHz: 440, seconds: 20 })
  agent = await subject.start('stop')
  await subject.want(aChannel('neighbour'))
  await onAir('neighbour')
  neighbour = await openListener(icecast.urlOf('/neighbour'))
}, 60_000)
afterAll(async () => {
  await neighbour[Symbol.asyncDispose]()
  await agent[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
  await icecast[Symbol.asyncDispose]()
}, 60_000)

const aChannel = (id: string, overrides: Partial<StartStream> = {}) =>
  aStart(id, { source_token: SOURCE_PASSWORD, tracks: [tone], ...overrides })
const onAir = (channelId: string) => subject.until(channelId, 'on air', ({ phase }) => phase === 'on_air')

const canary = () => join(home.path, 'canary')
const corpus: readonly (readonly [string, (file: string) => string])[] = [
  ['interpolation', (file) => `#{process.run("touch ${file}")}`],
  ['interpolation that ends a string first', (file) => `"^process.run("touch ${file}")^"`],
  ['a shell', (file) => `'; $(touch ${file}) \`touch ${file}\` | touch ${file} #`],
  ['a protocol', (file) => `process:mp3,touch ${file}`],
  ['an annotation', (file) => `annotate:title="x",liq_cue_out="1":process:mp3,touch ${file}`],
  ['a playlist line', (file) => `x\n#EXTM3U\nprocess:mp3,touch ${file}`],
  ['a header', (file) => `x\r\nX-Evil: ${file}\r\n\r\nHTTP/1.0 200 OK`],
  ['JSON', (file) => `","plan":"${file}","x":"\\u0000`],
  ['a command', (file) => `x\nhub.remove {"key":"neighbour"}\nhub.load ${file}`],
  ['length', () => 'ä'.repeat(2000)],
  ['characters', () => 'é 漢字 😀 \u202e\u0007\u0000\u2028 %s%n &<>"\''],
]

describe('hostile text', () => {
  test.each(corpus)(
    '%s in every field reaches nobody but as text (A1, A2, A3, A4, L1)',
    async (name, make) => {
      const text = make(canary())
      const id = `hostile-${corpus.findIndex(([each]) => each === name)}`
      const tracks = [{ ...tone, title: text, artist: text.slice(0, 100) }]
      await subject.want(aChannel(id, { name: text, description: text, genre: text, tracks }))
      await onAir(id)
      await using listener = await openListener(icecast.urlOf(`/${id}`))
      await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
      const heard = await waitFor('a title', () => listener.titles.at(-1), { timeoutMs: TIMEOUT_MS })
      expect(heard.title).not.toMatch(/[\p{Cc}]/u)
      expect(listener.answer.headers.has('x-evil')).toBe(false)
      await expect(access(canary())).rejects.toMatchObject({ code: 'ENOENT' })
      const mark = performance.now()
      await hears(neighbour, 440, { timeoutMs: TIMEOUT_MS })
      expect(neighbour.closures).toEqual([])
      expect(neighbour.gapSince(mark)).toBeLessThan(PLAYER_RESERVE_MS)
      await subject.want({ ...aChannel(id), event: 'stop_stream', generation: 2 } as never)
      await subject.until(id, 'off', ({ phase }) => phase === 'off')
    },
    60_000,
  )

  test('titles of any script reach listeners as they were written', async () => {
    const title = 'Café · 漢字かな · 😀'
    await subject.want(aChannel('titles', { tracks: [{ ...tone, title, artist: 'Björk' }] }))
    await onAir('titles')
    await using listener = await openListener(icecast.urlOf('/titles'))
    await waitFor('the title', () => listener.titles.some((each) => each.title === `Björk - ${title}`), { timeoutMs: TIMEOUT_MS })
  }, 60_000)

  test('that would need a file name, a mount or a password of its own starts nothing, and says so', async () => {
    for (const [index, hostile] of [{ source_token: `x\r\nX-Evil: 1` }, { source_token: '' }].entries()) {
      await subject.want(aChannel(`refused-${index}`, hostile))
      const status = await subject.until(`refused-${index}`, 'failing', ({ phase }) => phase === 'failing')
      expect(status.last_error).toMatchObject({ code: 'ENGINE_REFUSED' })
    }
    await subject.want(aChannel('../neighbour', { channel_slug: 'path', mount: '/path' }))
    const status = await subject.until('../neighbour', 'failing', ({ phase }) => phase === 'failing')
    expect(status.last_error).toMatchObject({ code: 'ENGINE_REFUSED' })
    await expect(subject.want(aChannel('mount', { mount: '/a\r\nX-Evil: 1' }))).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
  }, 60_000)
})

test('A2: what an engine sends to Icecast holds only the headers that it means to send', async () => {
  await using owned = new AsyncDisposableStack()
  const requests: string[] = []
  const server: Server = createServer((socket) => {
    const index = requests.push('') - 1
    socket.on('data', (bytes) => (requests[index] += bytes.toString('latin1'))).on('error', () => {})
    owned.defer(() => void socket.destroy())
  })
  owned.defer(() => void server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await using other = await temporaryHome()
  await using bare = rig(other, { ICECAST_PORT: `${port}` })
  const track = await bare.tone('tone', { frequencyHz: 440, seconds: 5 })
  await using running = await bare.start('stop')
  const evil = 'x\r\nX-Evil: 1\r\n\r\nGET /'
  await bare.want(aStart('evil', { tracks: [track], name: evil, description: evil, genre: evil }))
  const request = await waitFor('the headers', () => requests.find((each) => /^SOURCE[^]*\r\n\r\n/.test(each)), {
    timeoutMs: TIMEOUT_MS,
  })
  const lines = request.slice(0, request.indexOf('\r\n\r\n')).split('\r\n')
  expect(lines[0]).toBe('SOURCE /evil HTTP/1.0')
  expect(new Set(lines.slice(1).map((line) => line.split(':')[0]!.toLowerCase()))).toEqual(
    new Set([
      'user-agent',
      'content-type',
      'ice-name',
      'ice-genre',
      'ice-description',
      'ice-public',
      'ice-audio-info',
      'authorization',
    ]),
  )
  expect(lines).toContain('ice-public: 0')
  expect(running).toBeDefined()
}, 60_000)
