import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { AppError, waitFor } from '@skipcast/runtime'
import { toneFile } from '@skipcast/testing'
import type { Waveform } from '../src/domain/waveform.ts'
import { AIR, ffmpeg, testMedia, type TestMedia } from './test-media.ts'

let given: TestMedia
let running: AsyncDisposable
let picture: string
let tone: string

beforeAll(async () => {
  given = await testMedia()
  running = await given.start()
  picture = join(given.path, 'picture.png')
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=1600x800:d=1', '-frames:v', '1', picture)
  tone = await toneFile(join(given.path, 'tone.flac'), { frequencyHz: 440, seconds: 6, title: 'Tone', artist: 'Tester' })
}, 60_000)

afterAll(async () => {
  await running[Symbol.asyncDispose]()
  await given[Symbol.asyncDispose]()
})

const importOf = async (file: string) =>
  given.ended(await given.ask({ event: 'import_media', original: await given.keep(file), air: AIR }))
const tags = { title: 'T', artist: '', album: '', genre: '', year: '', track: null }

test('a piece is imported with its tags, its cover and a drawing, and nothing is left of the work', async () => {
  const file = join(given.path, 'dressed.mp3')
  const meta = ['-metadata', 'genre=Test', '-metadata', 'date=2024-05-01', '-metadata', 'track=3/9', '-metadata', 'liq_cue_in=5']
  const attach = ['-map', '0:a', '-map', '1:v', '-c:v', 'png', '-disposition:v', 'attached_pic']
  await ffmpeg('-i', tone, '-i', picture, ...attach, ...meta, '-metadata', 'replaygain_track_gain=-99 dB', file)
  const ended = await importOf(file)
  if (ended.event !== 'media_ready') throw new Error(ended.event)
  expect(ended).toMatchObject({
    kind: 'audio',
    tags: { title: 'Tone', artist: 'Tester', genre: 'Test', date: '2024-05-01', track: '3/9' },
    file: { content_type: 'audio/mpeg', container: 'mp3', codec: 'mp3', channels: 2, sample_rate: 44_100 },
    air: { duration_ms: expect.any(Number) },
  })
  expect(Object.keys(ended.tags).toSorted()).toEqual(['artist', 'date', 'genre', 'title', 'track'])
  const air = await given.look(ended.air.sha256, 'air')
  expect([air.tags, air.streams.length]).toEqual([{}, 1])
  const cover = await given.look(ended.cover!, 'covers')
  expect(cover.streams[0]).toMatchObject({ codec_name: 'mjpeg', width: 1000, height: 500 })
  const drawing = JSON.parse(await text(await given.store.open({ kind: 'waveforms', sha256: ended.waveform }))) as Waveform
  expect(drawing).toMatchObject({ version: 2, channels: 1, bits: 8, length: drawing.data.length / 2 })
  expect(drawing.length).toBeGreaterThanOrEqual(1000)
  expect(drawing.length).toBeLessThanOrEqual(2000)
  expect(Math.max(...drawing.data)).toBeGreaterThan(20)
  await waitFor('the work to be cleared away', async () => (await given.workFiles()).length === 0, { timeoutMs: 5000 })
})

test('done twice a job gives the same', async () => {
  const [one, two] = [await importOf(tone), await importOf(tone)]
  const ofThisTime = { id: '', media_id: '', job_id: '', timestamp: 0, occurred_at: 0 }
  expect({ ...two, ...ofThisTime }).toEqual({ ...one, ...ofThisTime })
})

test('the artwork of a channel is made as covers are, and told of the channel', async () => {
  const ask = async (file: string) =>
    given.ended(await given.ask({ event: 'make_artwork', channel_id: 'c', original: await given.keep(file) }))
  const made = await ask(picture)
  if (made.event !== 'artwork_made') throw new Error(made.event)
  expect(made.channel_id).toBe('c')
  expect((await given.look(made.artwork, 'covers')).streams[0]).toMatchObject({ codec_name: 'mjpeg', width: 1000, height: 500 })
  expect(await ask(tone)).toMatchObject({
    event: 'artwork_failed',
    channel_id: 'c',
    problem: expect.stringMatching(/no picture/),
  })
})

test('a video gives its sound, and is told to be one', async () => {
  const file = join(given.path, 'clip.mp4')
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc=d=1:s=64x64', '-f', 'lavfi', '-i', 'sine=d=1', '-shortest', file)
  expect(await importOf(file)).toMatchObject({
    event: 'media_ready',
    kind: 'video',
    cover: null,
    file: { content_type: 'video/mp4' },
  })
})

describe('A1: tags are written as they are, and reach nothing but data', () => {
  const hostile = [
    '$(touch canary) `id` "quotes" \'single\'',
    'annotate:liq_cue_in="5":/etc/passwd',
    '#{process.run("touch canary")}',
    '-i /etc/passwd -f concat',
    'a=b;c=d\\\nFILE:[x]',
    '%n%s %{pix_fmt} :/,\\',
  ]
  test.each(['mp3', 'flac', 'm4a', 'ogg'])('into %s', async (ending) => {
    const file = join(given.path, `tagged.${ending}`)
    await ffmpeg('-i', tone, '-t', '1', '-metadata', 'liq_amplify=9', '-metadata', 'comment=old', file)
    const original = await given.keep(file)
    const cover = await given.ask({ event: 'make_cover', original: await given.keep(picture) })
    const made = await given.ended(cover)
    if (made.event !== 'cover_made') throw new Error(made.event)
    const title = hostile.join('\n')
    const asked = {
      event: 'retag_media' as const,
      original,
      tags: { ...tags, title, artist: title, track: 7, year: '1999' },
      cover: made.cover,
    }
    const ended = await given.ended(await given.ask(asked))
    if (ended.event !== 'media_retagged') throw new Error(JSON.stringify(ended))
    const { tags: found, streams } = await given.look(ended.file.sha256)
    const lower = Object.fromEntries(Object.entries(found).map(([name, value]) => [name.toLowerCase(), value]))
    expect([lower['title'], lower['artist'], lower['liq_amplify'], lower['comment']]).toEqual([
      title,
      title,
      undefined,
      undefined,
    ])
    expect(streams.filter(({ codec_type }) => codec_type === 'video')).toHaveLength(ending === 'ogg' ? 0 : 1)
  })
})

test.each(['mp3', 'flac', 'ogg', 'opus', 'm4a', 'wav'] as const)('a cut of a piece is converted into %s', async (format) => {
  const job = {
    event: 'derive_media',
    original: await given.keep(tone),
    air: AIR,
    format,
    from_ms: 1000,
    to_ms: 3500,
    tags,
    cover: null,
  }
  const ended = await given.ended(await given.ask(job as Parameters<TestMedia['ask']>[0]))
  if (ended.event !== 'media_ready') throw new Error(JSON.stringify(ended))
  expect(Math.abs(ended.air.duration_ms - 2500)).toBeLessThan(120)
  expect(ended.tags.title).toBe('T')
  const made = await given.look(ended.file.sha256)
  expect(Math.abs(Number(made.format.duration) - 2.5)).toBeLessThan(0.12)
})

const manifest = (body: string) => Buffer.from(body)
test.each<[string, Buffer, RegExp]>([
  [
    'A15: an HLS playlist',
    manifest('#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:1/x.ts\n#EXT-X-ENDLIST\n'),
    /playlist/,
  ],
  ['A5: a list of our own files', manifest("ffconcat version 1.0\nfile '/etc/passwd'\n"), /playlist/],
  ['A15: a DASH manifest', manifest('<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>'), /playlist/],
  ['an SDP', manifest('v=0\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n'), /no audio file/],
  ['a picture', Buffer.from('\x89PNG\r\n\x1a\n0000IHDR', 'latin1'), /picture/],
  ['text', Buffer.from('hello'), /no audio file/],
  ['nothing', Buffer.alloc(0), /no audio file/],
])('%s is refused as music, with what it is', async (_what, body, said) => {
  const file = join(given.path, 'refused')
  await writeFile(file, body)
  expect(await importOf(file)).toMatchObject({ event: 'media_failed', problem: expect.stringMatching(said) })
})

/** A PNG that says it is so large, and a GIF. */
function pictureOf(width: number, height: number): Buffer {
  const head = Buffer.alloc(33)
  head.write('\x89PNG\r\n\x1a\n', 0, 'latin1')
  head.writeUInt32BE(13, 8)
  head.write('IHDR', 12)
  head.writeUInt32BE(width, 16)
  head.writeUInt32BE(height, 20)
  head.writeUInt8(8, 24)
  return head
}

test.each<[string, Buffer, RegExp]>([
  ['of 60,000 by 60,000 pixels', pictureOf(60_000, 60_000), /60000 × 60000 pixels/],
  ['of 2 by 2,000,000,000', pictureOf(2, 2_000_000_000), /pixels/],
  ['of no size', pictureOf(0, 5), /how large/],
  ['without an end', pictureOf(100, 100), /can not be decoded/],
  ['of markup', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'), /no picture/],
  ['that is a playlist', Buffer.from('#EXTM3U\nfile:///etc/passwd'), /no picture/],
])('a cover %s is refused, before anything large is made of it', async (_what, body, said) => {
  const file = join(given.path, 'bomb')
  await writeFile(file, body)
  const ended = await given.ended(await given.ask({ event: 'make_cover', original: await given.keep(file) }))
  expect(ended).toMatchObject({ event: 'media_failed', problem: expect.stringMatching(said) })
})

test('a file that is gone from the store is told', async () => {
  const ended = await given.ended(await given.ask({ event: 'import_media', original: 'a'.repeat(64), air: AIR }))
  expect(ended).toMatchObject({ event: 'media_failed', problem: expect.stringMatching(/Upload it again/) })
})

describe('when the process', () => {
  test('ends in the middle of a job, the next process does it', async () => {
    const long = join(given.path, 'long.wav')
    await ffmpeg('-f', 'lavfi', '-i', 'sine=f=300:r=44100:d=200', long)
    const id = await given.ask({ event: 'import_media', original: await given.keep(long), air: AIR })
    const isMade = () =>
      given.events.some((event) => event.job_id === id && event.event === 'media_progress' && event.percent > 0)
    await waitFor('half of it', isMade, { timeoutMs: 60_000, everyMs: 5 })
    await running[Symbol.asyncDispose]()
    expect(await given.workFiles()).toEqual([])
    expect(given.events.some((event) => event.job_id === id && event.event !== 'media_progress')).toBe(false)
    running = await given.start()
    expect((await given.ended(id)).event).toBe('media_ready')
    const percents = given.events.flatMap((event) =>
      event.job_id === id && event.event === 'media_progress' ? [event.percent] : [],
    )
    expect(Math.max(...percents)).toBeLessThanOrEqual(100)
  }, 150_000)

  test('dies of a job again and again, the piece is failed and the job a dead letter', async () => {
    await running[Symbol.asyncDispose]()
    const tools = { probe: () => Promise.reject(new TypeError('a bug')) } as never
    running = await given.start({ tools })
    const id = await given.ask({ event: 'import_media', original: await given.keep(tone), air: AIR })
    expect(await given.ended(id)).toMatchObject({ event: 'media_failed', problem: expect.stringMatching(/several times/) })
    await waitFor('the dead letter', () => given.bus.deadLetters('mediaJobs').length > 0, { timeoutMs: 10_000 })
    expect(given.bus.deadLetters('mediaJobs')[0]!.reason).toMatch(/given up after 3 attempts/)
  })

  test('can not reach the store, the job waits for it', async () => {
    await running[Symbol.asyncDispose]()
    let isAway = true
    const fetchTo: typeof given.store.fetchTo = async (...args) => {
      if (isAway) throw new AppError('STORE_UNAVAILABLE', 'away')
      return given.store.fetchTo(...args)
    }
    running = await given.start({ store: { ...given.store, fetchTo } })
    const id = await given.ask({ event: 'import_media', original: await given.keep(tone), air: AIR })
    await waitFor('the trouble to be told', () => given.health.read()['media jobs']?.problem === 'away', { timeoutMs: 10_000 })
    isAway = false
    expect((await given.ended(id)).event).toBe('media_ready')
    expect(given.health.read()['media jobs']!.ok).toBe(true)
  })
})
