import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mp3FrameReader } from '@skipcast/audio'
import { runCommand, waitFor } from '@skipcast/runtime'
import { temporaryHome, toneFile, type TemporaryHome, type ToneFileOptions } from '@skipcast/testing'
import { testApi, type TestApi } from './test-api.ts'

let api: TestApi
let home: TemporaryHome
let token: string

beforeAll(async () => {
  api = await testApi()
  home = await temporaryHome()
  token = (await api.user('dj')).token
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

let files = 0
async function tone(ending: string, options: Partial<ToneFileOptions> = {}): Promise<Buffer> {
  return readFile(await toneFile(join(home.path, `tone-${files++}.${ending}`), { frequencyHz: 440, seconds: 2, ...options }))
}

/** What engines play. */
const airFiles = async () => (await stored()).filter((name) => name.endsWith('.mp3'))

async function stored(): Promise<string[]> {
  const entries = await readdir(api.mediaPath, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

test.each(['mp3', 'flac', 'wav', 'ogg', 'm4a'])('a file in %s becomes frames of the one format, without tags', async (ending) => {
  const before = new Set(await airFiles())
  const file = await tone(ending, {
    title: 'The Title',
    artist: 'The Artist',
    frequencyHz: 300 + files,
    sampleRate: 48_000,
    channels: 1,
  })
  const { status, body } = await api.upload(token, file, `song.${ending}`)
  expect(status).toBe(201)
  expect(body).toMatchObject({ title: ending === 'wav' ? expect.any(String) : 'The Title', original_name: `song.${ending}` })
  expect(body.duration_ms).toBeGreaterThanOrEqual(2000)
  expect(body.duration_ms).toBeLessThan(2150)

  const [path, ...others] = (await airFiles()).filter((name) => !before.has(name))
  expect(others).toEqual([])
  expect(path).toMatch(/\/([0-9a-f]{2})\/\1[0-9a-f]{62}\.mp3$/)
  expect((await stat(path!)).mode & 0o777).toBe(0o644)
  const air = await readFile(path!)
  expect(air.length).toBe(body.size_bytes)
  const reader = mp3FrameReader()
  const frames = reader.push(Buffer.concat([air, air.subarray(0, 1000)])) // the last frame needs a next one to be believed
  expect(
    frames.every(({ bitrateKbps, sampleRate, channels }) => bitrateKbps === 128 && sampleRate === 44_100 && channels === 2),
  ).toBe(true)
  expect(frames.slice(0, Math.round(body.duration_ms / 26.122)).reduce((sum, frame) => sum + frame.data.length, 0)).toBe(
    air.length,
  )
  const { stdout } = await runCommand('ffprobe', ['-v', 'error', '-show_format', '-of', 'json', `file:${path}`], {
    timeoutMs: 20_000,
  })
  expect(JSON.parse(stdout.toString('utf8')).format.tags).toBeUndefined()
})

test('loudness and the first and last sound are measured, to the piece as it is sent', async () => {
  const path = join(home.path, 'edges.wav')
  const edges = 'adelay=700:all=1,apad=pad_dur=1.5'
  await runCommand('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', 'sine=997:d=4:r=44100', '-af', edges, '-ac', '2', path], {
    timeoutMs: 20_000,
  })
  const { body } = await api.upload(token, await readFile(path), 'edges.wav')
  expect(body.loudness_lufs).toBeCloseTo(-21.1, 0) // ffmpeg's sine has -18 dBFS
  expect(Math.abs(body.cue_in_ms - 725)).toBeLessThan(30)
  expect(Math.abs(body.cue_out_ms - 4725)).toBeLessThan(60)

  const whole = (await api.upload(token, await tone('wav', { frequencyHz: 997, levelDbfs: -6 }), 'whole.wav')).body
  expect(whole).toMatchObject({ cue_in_ms: 0, cue_out_ms: null })
  const silence = (await api.upload(token, await tone('wav', { levelDbfs: -Infinity }), 'silence.wav')).body
  expect(silence).toMatchObject({ loudness_lufs: null, cue_in_ms: 0, cue_out_ms: null })
})

test('the sound of a video is taken, and its picture is not', async () => {
  const path = join(home.path, 'clip.mp4')
  const inputs = ['-f', 'lavfi', '-i', 'testsrc=d=1:s=64x64', '-f', 'lavfi', '-i', 'sine=d=1']
  await runCommand('ffmpeg', ['-v', 'error', '-y', ...inputs, '-shortest', `file:${path}`], { timeoutMs: 20_000 })
  expect((await api.upload(token, await readFile(path), 'clip.mp4')).status).toBe(201)
})

test('the same upload again is the same piece; somebody else gets a piece of their own, of the same files', async () => {
  const file = await tone('flac', { frequencyHz: 777 })
  const first = await api.upload(token, file)
  const before = await stored()
  const again = await api.upload(token, file, 'other-name.flac')
  expect([first.status, again.status, again.body.duplicate_of]).toEqual([201, 200, first.body.id])
  const theirs = await api.upload((await api.user('dj')).token, file)
  expect([theirs.status, theirs.body.id === first.body.id]).toEqual([201, false])
  expect(await stored()).toEqual(before)
  expect((await api.call('DELETE', `/api/media/${first.body.id}`, { token })).status).toBe(204)
  expect((await api.upload(token, file)).status).toBe(201)
})

test('without waiting an upload is a piece at once, whose import can be followed to its end', async () => {
  const { status, body } = await api.upload(
    token,
    await tone('flac', { seconds: 20, title: 'Later' }),
    'later.flac',
    'media_file',
    '',
  )
  expect([status, body.state, body.title, body.duration_ms]).toEqual([201, 'processing', 'later', null])
  expect((await api.call('PUT', `/api/media/${body.id}`, { token, body: { cue_in_ms: 1 } })).status).toBe(409)
  const { text } = await api.call('GET', `/api/media/${body.id}/events`, { token })
  const events = text.split('\n\n').flatMap((event) => {
    const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? []
    return name === undefined ? [] : [{ name, data: JSON.parse(data!) }]
  })
  const jobs = events.filter(({ name }) => name === 'job').map(({ data }) => data)
  expect(jobs.at(-1)).toMatchObject({ kind: 'import', state: 'done', percent: 100 })
  expect(jobs.map(({ percent }) => percent)).toEqual(jobs.map(({ percent }) => percent).toSorted((a, b) => a - b))
  expect(events.findLast(({ name }) => name === 'media')!.data).toMatchObject({ id: body.id, state: 'ready', title: 'Later' })
  expect(events.at(-1)!.name).toBe('complete')
  expect((await api.call('GET', `/api/media/${body.id}/jobs`, { token })).body.data).toMatchObject([{ state: 'done' }])
})

test('a channel may have a piece that is not ready; it plays it from then on', async () => {
  const ready = (await api.upload(token, await tone('mp3', { frequencyHz: 810 }))).body
  const { body: late } = await api.upload(token, await tone('flac', { frequencyHz: 820 }), 'late.flac', 'media_file', '')
  const { channel } = (await api.call('POST', '/api/channels', { token, body: { name: 'Early' } })).body
  const attached = await api.call('POST', `/api/channels/${channel.id}/media`, {
    token,
    body: { media_ids: [ready.id, late.id] },
  })
  expect(attached.status).toBe(200)
  expect((await api.call('POST', `/api/channels/${channel.id}/stream/start`, { token })).status).toBe(202)
  const newest = async () => {
    const rows = await api.query<{ tracks: { media_id: string; sha256: string }[] }>(
      `SELECT payload->'tracks' AS tracks FROM outbox WHERE topic = 'streamCommands' AND key = '${channel.id}' ORDER BY id DESC LIMIT 1`,
    )
    return rows[0]!.tracks.map(({ media_id }) => media_id)
  }
  const isPlayed = async () => (await newest()).includes(late.id)
  await waitFor('the command with the late piece', isPlayed, { timeoutMs: 30_000 })
  expect(await newest()).toEqual([ready.id, late.id])
})

test.each([
  '../../../../tmp/evil.mp3',
  '..\\..\\evil.mp3',
  '/etc/passwd',
  '%2e%2e%2fevil',
  'a\u0000b.mp3',
  '"; touch canary; ".mp3',
  '-i.mp3',
  '$(touch canary).mp3',
  `${'x'.repeat(3000)}.mp3`,
])('A5: the file name %j names nothing on our disk', async (fileName) => {
  const before = new Set(await stored())
  const { status, body } = await api.upload(token, await tone('mp3', { frequencyHz: 400 + files }), fileName)
  expect(status).toBe(201)
  expect(body.original_name).not.toMatch(/[/\\\0]/)
  expect(body.original_name.length).toBeLessThanOrEqual(255)
  const fresh = (await stored()).filter((name) => !before.has(name))
  expect(fresh.length).toBeGreaterThan(1)
  for (const name of fresh) expect(name).toMatch(/\/([0-9a-f]{2})\/\1[0-9a-f]{62}(\.mp3)?$/)
})

test('A1: tags that would steer an engine are text', async () => {
  const title = '#{process.run("touch canary")}\r\nprocess:mp3,touch canary'
  const { body } = await api.upload(token, await tone('flac', { title, artist: 'annotate:liq_cue_in="5":x' }))
  expect(body).toMatchObject({
    title: '#{process.run("touch canary")} process:mp3,touch canary',
    artist: 'annotate:liq_cue_in="5":x',
  })
})

const hls = '#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:1/secret.ts\n#EXT-X-ENDLIST\n'
const concat = "ffconcat version 1.0\nfile '/etc/passwd'\n"
const dash =
  '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><BaseURL>http://127.0.0.1:1/</BaseURL></Period></MPD>'
const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

test.each([
  ['text', Buffer.from('hello')],
  ['nothing', Buffer.alloc(0)],
  ['noise', Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251))],
  ['a picture', picture],
  ['a script', Buffer.from('#!/bin/sh\ntouch canary\n')],
  ['A15: a playlist that points elsewhere', Buffer.from(hls)],
  ['A5: a list of our own files', Buffer.from(concat)],
  ['A15: a manifest with addresses', Buffer.from(dash)],
])('%s is no music: 422, and no file is left', async (_what, file) => {
  const before = await stored()
  const { status, body } = await api.upload(token, file, 'music.mp3')
  expect([status, body.error]).toEqual([422, 'UNPROCESSABLE'])
  expect(body.message.length).toBeGreaterThan(10)
  expect(await stored()).toEqual(before)
})

/** A WAV of 8-bit silence. */
function wav(sampleRate: number, sizeBytes: number): Buffer {
  const head = Buffer.alloc(44)
  head.write('RIFF', 0)
  head.writeUInt32LE(36 + sizeBytes, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(sampleRate, 24)
  head.writeUInt32LE(sampleRate, 28)
  head.writeUInt16LE(1, 32)
  head.writeUInt16LE(8, 34)
  head.write('data', 36)
  head.writeUInt32LE(sizeBytes, 40)
  return Buffer.concat([head, Buffer.alloc(sizeBytes, 128)])
}

test('a small file that would be long work is refused, with what to do', async () => {
  const { status, body } = await api.upload(token, wav(1, 100), 'slow.wav')
  expect([status, body.message]).toEqual([422, expect.stringMatching(/sample rate of 1 Hz.*Convert it/)])
  expect((await api.upload(token, wav(4000, 4000), 'low.wav')).status).toBe(201)
})

test('of what fails with its first byte nothing is left, however soon that is', async () => {
  const before = await stored()
  const failing = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.from('x')
    throw new Error('broken off')
  }
  const attempt = async () => {
    await using incoming = api.ports.incomingFiles.receive()
    await incoming.write(failing(), 0)
  }
  const isRefused = () => expect(attempt()).rejects.toMatchObject({ code: 'TOO_LARGE' })
  // A file that was opened after its removal stayed: three in four thousand.
  for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 200 }, isRefused))
  expect(await stored()).toEqual(before)
}, 30_000)

test('a file that is too large is refused, and nothing of it is left', async () => {
  const before = await stored()
  const { status, body } = await api.upload(token, Buffer.alloc(5 * 1024 ** 2 + 1))
  expect([status, body.error]).toEqual([413, 'TOO_LARGE'])
  expect(await stored()).toEqual(before)
})

describe('2 GB and a byte more', () => {
  const boundary = 'b'
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="media_file"; filename="x.mp3"\r\n\r\n`
  let url: string
  beforeAll(async () => {
    url = `${await api.app.listen({ host: '127.0.0.1', port: 0 })}/api/media/upload`
  })

  /** Sends the head of a form and then zeros until an answer comes. Resolves with the answer and how much was sent. */
  async function send(headers: Record<string, string>, chunk: Buffer) {
    const type = `multipart/form-data; boundary=${boundary}`
    const upload = request(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': type, ...headers },
    })
    upload.on('error', () => {}) // the answer may come before all was taken
    const isAnswered = once(upload, 'response').then(() => true)
    const response = new Promise<IncomingMessage>((resolve) => upload.once('response', resolve))
    upload.write(head)
    let sent = 0
    for (let done = chunk.length === 0; !done && sent < 2 * 1024 ** 3; sent += chunk.length)
      done = await Promise.race([isAnswered, upload.write(chunk) ? setImmediate(false) : once(upload, 'drain').then(() => false)])
    const body = JSON.parse(Buffer.concat(await (await response).toArray()).toString())
    upload.destroy()
    return { status: (await response).statusCode, error: body.error, message: body.message, sent }
  }

  test('are refused before any of it came, where they are announced', async () => {
    const before = await stored()
    const answer = await send({ 'content-length': String(2 * 1024 ** 3 + 1) }, Buffer.alloc(0))
    expect(answer).toMatchObject({ status: 413, error: 'TOO_LARGE', message: expect.stringContaining('5242880') })
    expect(await stored()).toEqual(before)
  })

  test('are refused as soon as they are too much, where they are not', async () => {
    const before = await stored()
    const answer = await send({ 'transfer-encoding': 'chunked' }, Buffer.alloc(256 * 1024))
    expect(answer).toMatchObject({ status: 413, error: 'TOO_LARGE' })
    expect(answer.sent).toBeLessThan(100 * 1024 ** 2) // what fits into the limit and all buffers on the way
    expect(await stored()).toEqual(before)
  })
})

test.each<[string, (form: FormData, music: Blob) => void]>([
  ['a second file', (form, music) => form.append('media_file', music, 'two.mp3')],
  ['a file in another field', (form, music) => form.set('cover', music, 'cover.mp3')],
  ['a text beside it', (form) => form.set('title', 'x')],
])('a form with %s is refused, and nothing of it is left', async (_what, add) => {
  const before = await stored()
  const music = new Blob([new Uint8Array(await tone('mp3'))])
  const form = new FormData()
  form.set('media_file', music, 'one.mp3')
  add(form, music)
  const encoded = new Response(form)
  const { status, body } = await api.call('POST', '/api/media/upload', {
    token,
    headers: { 'content-type': encoded.headers.get('content-type')! },
    body: Buffer.from(await encoded.arrayBuffer()),
  })
  expect([status, body.error, body.message]).toEqual([400, 'BAD_REQUEST', expect.stringMatching(/one file.*media_file/)])
  expect(await stored()).toEqual(before)
})

test('a form without the file, with another field, and no form at all are told apart', async () => {
  const music = await tone('mp3')
  expect((await api.upload(token, music, 'x.mp3', 'other')).body).toMatchObject({
    error: 'BAD_REQUEST',
    message: expect.stringContaining('media_file'),
  })
  const empty = new Response(new FormData())
  const form = await api.call('POST', '/api/media/upload', {
    token,
    headers: { 'content-type': empty.headers.get('content-type')! },
    body: Buffer.from(await empty.arrayBuffer()),
  })
  expect(form.status).toBe(400)
  expect((await api.call('POST', '/api/media/upload', { token, body: { media_file: 'x' } })).body.error).toBe(
    'UNSUPPORTED_MEDIA_TYPE',
  )
  expect(await readdir(join(api.mediaPath, 'incoming', 'test'))).toEqual([])
})

test('what a killed process left half received is cleared away by the next', async () => {
  const { incomingFiles } = await import('../src/adapters/incoming-files.ts')
  await writeFile(join(api.mediaPath, 'incoming', 'test', 'left'), 'x')
  await incomingFiles({ path: api.mediaPath, serverId: 'test' })
  expect(await readdir(join(api.mediaPath, 'incoming', 'test'))).toEqual([])
})
