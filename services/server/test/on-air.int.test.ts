import { access, mkdir, readFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { signSourceToken } from '@skipcast/contracts'
import { waitFor } from '@skipcast/runtime'
import {
  PLAYER_RESERVE_MS,
  apiClient,
  gapMeter,
  hears,
  openListener,
  processesOf,
  startSkipcast,
  temporaryHome,
  toneFile,
  untilReady,
  type ApiClient,
  type Listener,
  type SkipcastProcess,
} from '@skipcast/testing'

/** From a fault to the programme at the ear, on a busy machine with two cores. */
const BACK_TIMEOUT_MS = 15_000

let temporary: Awaited<ReturnType<typeof temporaryHome>>
let home: { path: string }
let skipcast: SkipcastProcess
let api: ApiClient
let tones: Record<number, string>

beforeAll(async () => {
  temporary = await temporaryHome()
  // Deeper than the path of a Unix socket may be long.
  home = { path: join(temporary.path, 'deep'.repeat(25)) }
  await mkdir(home.path, { mode: 0o711 })
  tones = {}
  await mkdir(join(home.path, 'tones'))
  for (const frequencyHz of [440, 660, 880]) {
    tones[frequencyHz] = await toneFile(join(home.path, 'tones', `${frequencyHz}.mp3`), { frequencyHz, seconds: 10 })
  }
  skipcast = await startSkipcast(home.path)
  await untilReady(skipcast)
  api = await apiClient(skipcast.apiUrl, home.path)
}, 180_000)

afterAll(async () => {
  await skipcast?.[Symbol.asyncDispose]()
  await temporary?.[Symbol.asyncDispose]()
}, 60_000)

const listen = (slug: string): Promise<Listener> => openListener(`http://127.0.0.1:${skipcast.icecastPort}/${slug}`)

/** A channel of one tone, on air and heard by a listener. */
async function onAir(slug: string, frequencyHz: number): Promise<Listener> {
  const channel = await api.channel({ name: slug, slug }, [tones[frequencyHz]!])
  expect((await api.call('POST', `/api/channels/${channel.id}/stream/start`)).status).toBe(202)
  await api.untilPhase(slug, 'on_air', BACK_TIMEOUT_MS)
  const listener = await listen(slug)
  await hears(listener, frequencyHz, { timeoutMs: BACK_TIMEOUT_MS })
  return listener
}

const engines = async () => (await processesOf(home.path)).filter(({ command }) => command.includes('liquidsoap --no-stdlib'))

describe('a channel', () => {
  test('is started by the API, heard with the right tone, and let go when stopped', async () => {
    const channel = await api.channel({ name: 'First', slug: 'first' }, [tones[440]!])
    const before = await api.call('GET', '/api/channels/first/stream/status')
    expect(before.body).toMatchObject({ channel: { slug: 'first', state: 'off' }, stream: { phase: 'off', now_playing: null } })

    const started = await api.call('POST', '/api/channels/first/stream/start')
    expect(started.status).toBe(202)
    expect(started.body).toMatchObject({
      message: 'Stream start command sent successfully',
      channel: { id: channel.id, name: 'First', slug: 'first', state: 'on' },
      command: { id: expect.any(String) },
      stream: { mount: '/first' },
    })
    expect(['placing', 'starting']).toContain(started.body.stream.phase)

    const status = await api.untilPhase('first', 'on_air', BACK_TIMEOUT_MS)
    expect(status.body.stream).toMatchObject({ server: 'test', epoch: 1, last_error: null })
    await using listener = await openListener(status.body.stream.listen_url)
    await hears(listener, 440, { timeoutMs: BACK_TIMEOUT_MS })
    const { body } = await waitFor(
      'the listener to be counted, and to hear the track',
      async () => {
        const answer = await api.call('GET', '/api/channels/first/stream/status')
        return answer.body.stream.listeners === 1 && answer.body.stream.now_playing && answer
      },
      { timeoutMs: BACK_TIMEOUT_MS },
    )
    expect(body.stream.now_playing).toMatchObject({ title: '440' })

    const stopped = await api.call('POST', '/api/channels/first/stream/stop')
    expect(stopped.status).toBe(202)
    expect(stopped.body).toMatchObject({ message: 'Stream stop command sent successfully', channel: { state: 'off' } })
    await api.untilPhase('first', 'off', BACK_TIMEOUT_MS)
    await waitFor('the listener to be let go', () => !listener.isConnected, { timeoutMs: BACK_TIMEOUT_MS })
  })

  test('plays again on the same connection after its engine was killed', async () => {
    await using listener = await onAir('engine-killed', 440)
    const mark = performance.now()
    for (const { pid } of await engines()) process.kill(pid, 'SIGKILL')
    await hears(listener, 440, { timeoutMs: BACK_TIMEOUT_MS })
    console.log(`engine killed: longest gap ${Math.round(listener.gapSince(mark))} ms`)
    expect(listener.closures).toEqual([])
    await api.untilPhase('engine-killed', 'on_air', BACK_TIMEOUT_MS)
    await api.call('POST', '/api/channels/engine-killed/stream/stop')
  })

  test('changes what it plays when a track is attached, without letting anybody go', async () => {
    await using listener = await onAir('playlist', 440)
    const form = new FormData()
    form.set('media_file', new Blob([await readFile(tones[660]!)]), '660.mp3')
    const { body } = await api.call('POST', '/api/media/upload', form)
    await api.call('POST', '/api/channels/playlist/media', { media_ids: [body.id] })
    await hears(listener, 660, { timeoutMs: 60_000 })
    expect(listener.closures).toEqual([])
    await api.call('POST', '/api/channels/playlist/stream/stop')
  })

  test('is sent in another mode, at another bitrate and with a crossfade, after a moment of silence that nobody is dropped in', async () => {
    await using listener = await onAir('sent-otherwise', 660)
    const status = async () => (await api.call('GET', '/api/channels/sent-otherwise/stream/status')).body.stream
    const changes = [
      { mode: 'encode', bitrate_kbps: 96 },
      { bitrate_kbps: 192 },
      { crossfade_ms: 1000 },
      { mode: 'copy', bitrate_kbps: 128, crossfade_ms: 0 },
    ]
    let bitrateKbps = 128
    for (const change of changes) {
      bitrateKbps = change.bitrate_kbps ?? bitrateKbps
      const { since } = await status()
      const mark = performance.now()
      expect((await api.call('PUT', '/api/channels/sent-otherwise', change)).status).toBe(200)
      await waitFor('the new programme', async () => (await status()).since !== since, { timeoutMs: BACK_TIMEOUT_MS })
      await api.untilPhase('sent-otherwise', 'on_air', BACK_TIMEOUT_MS)
      await hears(listener, 660, { timeoutMs: BACK_TIMEOUT_MS })
      expect(listener.framesSince(mark).at(-1)).toMatchObject({ silent: false, bitrateKbps })
      const silenceMs = gapMeter({ arrivals: listener.sounds }).between(mark).max
      const told = `without the tone for ${Math.round(silenceMs)} ms, without a byte for ${Math.round(listener.gapSince(mark))} ms`
      console.log(`${JSON.stringify(change)}: ${told}`)
    }
    expect(listener.closures).toEqual([])
    await api.call('POST', '/api/channels/sent-otherwise/stream/stop')
  }, 90_000)
})

describe('Icecast', () => {
  test('refuses a source with a stale epoch, a forged token or none', async () => {
    await using listener = await onAir('fenced', 880)
    const { body } = await api.call('GET', '/api/channels/fenced')
    const key = (await readFile(join(home.path, 'secrets', 'source-signing-key'), 'utf8')).trim()
    const claim = { channelId: body.channel?.id ?? body.id, mount: '/fenced' }
    expect(await offerSource('/fenced', signSourceToken(key, { ...claim, epoch: 0 }))).toBe(401)
    expect(await offerSource('/fenced', signSourceToken('x'.repeat(43), { ...claim, epoch: 9 }))).toBe(401)
    expect(await offerSource('/fenced', '')).toBe(401)
    await hears(listener, 880, { timeoutMs: BACK_TIMEOUT_MS })
    expect(listener.closures).toEqual([])
    await api.call('POST', '/api/channels/fenced/stream/stop')
  })
})

describe('hostile text', () => {
  const canary = () => join(temporary.path, 'canary')
  test.each([
    ['interpolation', (file: string) => `#{process.run("touch ${file}")}"`],
    ['quotes and a shell', (file: string) => `"; $(touch ${file}) \`touch ${file}\` '`],
    ['a protocol', (file: string) => `annotate:title="x":process:mp3,touch ${file}`],
    ['markup and emoji', () => `<script>alert(1)</script> & 😀 é 漢字`],
  ])('%s in a name reaches the stream as text and nothing else (A1, A2, A3)', async (_, make) => {
    const name = make(canary())
    const slug = `hostile-${Math.random().toString(36).slice(2, 8)}`
    const channel = await api.channel({ name, slug, description: name, genre: name.slice(0, 100) }, [tones[440]!])
    expect((await api.call('POST', `/api/channels/${channel.id}/stream/start`)).status).toBe(202)
    await api.untilPhase(slug, 'on_air', BACK_TIMEOUT_MS)
    await using listener = await listen(slug)
    await hears(listener, 440, { timeoutMs: BACK_TIMEOUT_MS })
    expect(Buffer.from(listener.answer.headers.get('icy-name') ?? '', 'latin1').toString('utf8')).toBe(name)
    await expect(access(canary())).rejects.toThrow('ENOENT')
    await api.call('POST', `/api/channels/${channel.id}/stream/stop`)
  })

  test.each(['two\nlines', 'a\r\nX-Evil: 1', 'nul\0'])('%j is refused, naming the field', async (name) => {
    const { status, body } = await api.call('POST', '/api/channels', { name })
    expect(status).toBe(400)
    expect(JSON.stringify(body)).toContain('name')
  })
})

describe('a killed machine', () => {
  test('kill -9 of the server process: no gap, and the next one adopts the engines', async () => {
    await using listener = await onAir('adopted', 660)
    const before = await engines()
    const mark = performance.now()
    skipcast.signal('SIGKILL')
    await skipcast.ended
    skipcast = await startSkipcast(home.path, skipcast.environment)
    await untilReady(skipcast)
    api = await apiClient(skipcast.apiUrl, home.path)
    await api.untilPhase('adopted', 'on_air', BACK_TIMEOUT_MS)
    await hears(listener, 660, { timeoutMs: BACK_TIMEOUT_MS })
    console.log(`server killed and started again: longest gap ${Math.round(listener.gapSince(mark))} ms`)
    expect(listener.closures).toEqual([])
    expect(listener.gapSince(mark)).toBeLessThan(PLAYER_RESERVE_MS)
    const after = (await engines()).map(({ pid }) => pid)
    for (const { pid } of before) expect(after).toContain(pid)
  }, 120_000)

  test('kill -9 of everything: on air by itself after the next start', async () => {
    await api.untilPhase('adopted', 'on_air', BACK_TIMEOUT_MS)
    for (const { pid } of await processesOf(home.path)) process.kill(pid, 'SIGKILL')
    await skipcast.ended
    skipcast = await startSkipcast(home.path, skipcast.environment)
    await untilReady(skipcast)
    api = await apiClient(skipcast.apiUrl, home.path)
    await api.untilPhase('adopted', 'on_air', 30_000)
    await using listener = await listen('adopted')
    await hears(listener, 660, { timeoutMs: BACK_TIMEOUT_MS })
  }, 120_000)

  test('Ctrl-C leaves no process behind', async () => {
    await skipcast[Symbol.asyncDispose]()
    expect(await processesOf(home.path)).toEqual([])
  }, 60_000)
})

/** Offers a source to Icecast as an encoder does; resolves with the status of the answer. */
async function offerSource(mount: string, password: string): Promise<number> {
  const socket = createConnection(skipcast.icecastPort, '127.0.0.1')
  const authorization = Buffer.from(`source:${password}`).toString('base64')
  socket.write(`SOURCE ${mount} HTTP/1.0\r\nAuthorization: Basic ${authorization}\r\nContent-Type: audio/mpeg\r\n\r\n`)
  try {
    for await (const chunk of socket) return Number(/^HTTP\/1\.\d (\d{3})/.exec(String(chunk))?.[1])
    return 0
  } finally {
    socket.destroy()
  }
}
