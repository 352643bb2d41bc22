import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { mp3FrameReader } from '@skipcast/audio'
import { runCommand, waitFor } from '@skipcast/runtime'
import { testUploads } from './test-uploads.ts'

const given = testUploads()
const { stored, tone, upload } = given
/** No two tones are the same piece. */
let tones = 0

/** What engines play. */
const airFiles = async () => (await stored()).filter((name) => name.endsWith('.mp3'))

test.each(['mp3', 'flac', 'wav', 'ogg', 'm4a'])('a file in %s becomes frames of the one format, without tags', async (ending) => {
  const before = new Set(await airFiles())
  const file = await tone(ending, {
    title: 'The Title',
    artist: 'The Artist',
    frequencyHz: 300 + tones++,
    sampleRate: 48_000,
    channels: 1,
  })
  const { status, body } = await upload(file, `song.${ending}`)
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
  const path = join(given.home.path, 'edges.wav')
  const edges = 'adelay=700:all=1,apad=pad_dur=1.5'
  await runCommand('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', 'sine=997:d=4:r=44100', '-af', edges, '-ac', '2', path], {
    timeoutMs: 20_000,
  })
  const { body } = await upload(await readFile(path), 'edges.wav')
  expect(body.loudness_lufs).toBeCloseTo(-21.1, 0) // ffmpeg's sine has -18 dBFS
  expect(Math.abs(body.cue_in_ms - 725)).toBeLessThan(30)
  expect(Math.abs(body.cue_out_ms - 4725)).toBeLessThan(60)

  const whole = (await upload(await tone('wav', { frequencyHz: 997, levelDbfs: -6 }), 'whole.wav')).body
  expect(whole).toMatchObject({ cue_in_ms: 0, cue_out_ms: null })
  const silence = (await upload(await tone('wav', { levelDbfs: -Infinity }), 'silence.wav')).body
  expect(silence).toMatchObject({ loudness_lufs: null, cue_in_ms: 0, cue_out_ms: null })
})

test('the sound of a video is taken, and its picture is not', async () => {
  const path = join(given.home.path, 'clip.mp4')
  const inputs = ['-f', 'lavfi', '-i', 'testsrc=d=1:s=64x64', '-f', 'lavfi', '-i', 'sine=d=1']
  await runCommand('ffmpeg', ['-v', 'error', '-y', ...inputs, '-shortest', `file:${path}`], { timeoutMs: 20_000 })
  expect((await upload(await readFile(path), 'clip.mp4')).status).toBe(201)
})

test('the same upload again is the same piece; somebody else gets a piece of their own, of the same files', async () => {
  const file = await tone('flac', { frequencyHz: 777 })
  const first = await upload(file)
  const before = await stored()
  const again = await upload(file, 'other-name.flac')
  expect([first.status, again.status, again.body.duplicate_of]).toEqual([201, 200, first.body.id])
  const theirs = await given.api.upload((await given.api.user('dj')).token, file)
  expect([theirs.status, theirs.body.id === first.body.id]).toEqual([201, false])
  expect(await stored()).toEqual(before)
  expect((await given.api.call('DELETE', `/api/media/${first.body.id}`, { token: given.token })).status).toBe(204)
  expect((await upload(file)).status).toBe(201)
})

test('without waiting an upload is a piece at once, whose import can be followed to its end', async () => {
  const { status, body } = await upload(await tone('flac', { seconds: 20, title: 'Later' }), 'later.flac', 'media_file', '')
  expect([status, body.state, body.title, body.duration_ms]).toEqual([201, 'processing', 'later', null])
  expect((await given.api.call('PUT', `/api/media/${body.id}`, { token: given.token, body: { cue_in_ms: 1 } })).status).toBe(409)
  const { text } = await given.api.call('GET', `/api/media/${body.id}/events`, { token: given.token })
  const events = text.split('\n\n').flatMap((event) => {
    const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? []
    return name === undefined ? [] : [{ name, data: JSON.parse(data!) }]
  })
  const jobs = events.filter(({ name }) => name === 'job').map(({ data }) => data)
  expect(jobs.at(-1)).toMatchObject({ kind: 'import', state: 'done', percent: 100 })
  expect(jobs.map(({ percent }) => percent)).toEqual(jobs.map(({ percent }) => percent).toSorted((a, b) => a - b))
  expect(events.findLast(({ name }) => name === 'media')!.data).toMatchObject({ id: body.id, state: 'ready', title: 'Later' })
  expect(events.at(-1)!.name).toBe('complete')
  expect((await given.api.call('GET', `/api/media/${body.id}/jobs`, { token: given.token })).body.data).toMatchObject([
    { state: 'done' },
  ])
})

test('a channel may have a piece that is not ready; it plays it from then on', async () => {
  const ready = (await upload(await tone('mp3', { frequencyHz: 810 }))).body
  const { body: late } = await upload(await tone('flac', { frequencyHz: 820 }), 'late.flac', 'media_file', '')
  const { channel } = (await given.api.call('POST', '/api/channels', { token: given.token, body: { name: 'Early' } })).body
  const attached = await given.api.call('POST', `/api/channels/${channel.id}/media`, {
    token: given.token,
    body: { media_ids: [ready.id, late.id] },
  })
  expect(attached.status).toBe(200)
  expect((await given.api.call('POST', `/api/channels/${channel.id}/stream/start`, { token: given.token })).status).toBe(202)
  const newest = async () => {
    const rows = await given.api.query<{ tracks: { media_id: string; sha256: string }[] }>(
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
  const { status, body } = await upload(await tone('mp3', { frequencyHz: 400 + tones++ }), fileName)
  expect(status).toBe(201)
  expect(body.original_name).not.toMatch(/[/\\\0]/)
  expect(body.original_name.length).toBeLessThanOrEqual(255)
  const fresh = (await stored()).filter((name) => !before.has(name))
  expect(fresh.length).toBeGreaterThan(1)
  for (const name of fresh) expect(name).toMatch(/\/([0-9a-f]{2})\/\1[0-9a-f]{62}(\.mp3)?$/)
})

test('A1: tags that would steer an engine are text', async () => {
  const title = '#{process.run("touch canary")}\r\nprocess:mp3,touch canary'
  const { body } = await upload(await tone('flac', { title, artist: 'annotate:liq_cue_in="5":x' }))
  expect(body).toMatchObject({
    title: '#{process.run("touch canary")} process:mp3,touch canary',
    artist: 'annotate:liq_cue_in="5":x',
  })
})

test('what a killed process left half received is cleared away by the next', async () => {
  const { incomingFiles } = await import('../src/adapters/incoming-files.ts')
  await writeFile(join(given.api.mediaPath, 'incoming', 'test', 'left'), 'x')
  await incomingFiles({ path: given.api.mediaPath, serverId: 'test' })
  expect(await readdir(join(given.api.mediaPath, 'incoming', 'test'))).toEqual([])
})
