import { readdir } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { once } from 'node:events'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { testUploads } from './test-uploads.ts'

const given = testUploads()
const { stored, tone, upload } = given

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
  const { status, body } = await upload(file, 'music.mp3')
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
  const { status, body } = await upload(wav(1, 100), 'slow.wav')
  expect([status, body.message]).toEqual([422, expect.stringMatching(/sample rate of 1 Hz.*Convert it/)])
  expect((await upload(wav(4000, 4000), 'low.wav')).status).toBe(201)
})

test('of what fails with its first byte nothing is left, however soon that is', async () => {
  const before = await stored()
  const failing = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.from('x')
    throw new Error('broken off')
  }
  const attempt = async () => {
    await using incoming = given.api.ports.incomingFiles.receive()
    await incoming.write(failing(), 0)
  }
  const isRefused = () => expect(attempt()).rejects.toMatchObject({ code: 'TOO_LARGE' })
  // A file that was opened after its removal stayed: three in four thousand.
  for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 200 }, isRefused))
  expect(await stored()).toEqual(before)
}, 30_000)

test('a file that is too large is refused, and nothing of it is left', async () => {
  const before = await stored()
  const { status, body } = await upload(Buffer.alloc(5 * 1024 ** 2 + 1))
  expect([status, body.error]).toEqual([413, 'TOO_LARGE'])
  expect(await stored()).toEqual(before)
})

describe('2 GB and a byte more', () => {
  const boundary = 'b'
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="media_file"; filename="x.mp3"\r\n\r\n`
  let url: string
  beforeAll(async () => {
    url = `${await given.api.app.listen({ host: '127.0.0.1', port: 0 })}/api/media/upload`
  })

  /** Sends the head of a form and then zeros until an answer comes. Resolves with the answer and how much was sent. */
  async function send(headers: Record<string, string>, chunk: Buffer) {
    const type = `multipart/form-data; boundary=${boundary}`
    const upload = request(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${given.token}`, 'content-type': type, ...headers },
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
  const { status, body } = await given.api.call('POST', '/api/media/upload', {
    token: given.token,
    headers: { 'content-type': encoded.headers.get('content-type')! },
    body: Buffer.from(await encoded.arrayBuffer()),
  })
  expect([status, body.error, body.message]).toEqual([400, 'BAD_REQUEST', expect.stringMatching(/one file.*media_file/)])
  expect(await stored()).toEqual(before)
})

test('a form without the file, with another field, and no form at all are told apart', async () => {
  const music = await tone('mp3')
  expect((await upload(music, 'x.mp3', 'other')).body).toMatchObject({
    error: 'BAD_REQUEST',
    message: expect.stringContaining('media_file'),
  })
  const empty = new Response(new FormData())
  const form = await given.api.call('POST', '/api/media/upload', {
    token: given.token,
    headers: { 'content-type': empty.headers.get('content-type')! },
    body: Buffer.from(await empty.arrayBuffer()),
  })
  expect(form.status).toBe(400)
  expect((await given.api.call('POST', '/api/media/upload', { token: given.token, body: { media_file: 'x' } })).body.error).toBe(
    'UNSUPPORTED_MEDIA_TYPE',
  )
  expect(await readdir(join(given.api.mediaPath, 'incoming', 'test'))).toEqual([])
})
