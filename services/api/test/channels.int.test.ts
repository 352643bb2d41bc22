import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { StreamStatus } from '@skipcast/contracts'
import { musicRecord, onAirStatus, testApi, type TestApi } from './test-api.ts'

let api: TestApi
let token: string
let userId: string

beforeAll(async () => {
  api = await testApi()
  const owner = await api.user('dj')
  token = owner.token
  userId = owner.user.id
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

let made = 0
async function channel(fields: object = {}): Promise<{ id: string; slug: string }> {
  const { body, status } = await api.call('POST', '/api/channels', {
    token,
    body: { name: 'Radio', slug: `radio-${made++}`, ...fields },
  })
  expect(status).toBe(201)
  return body.channel
}

async function withMusic(): Promise<{ id: string; slug: string }> {
  const one = await channel()
  const media = await api.stores.media.add(musicRecord(userId), async () => {})
  const { status } = await api.call('POST', `/api/channels/${one.id}/media`, { token, body: { media_ids: [media.id] } })
  expect(status).toBe(200)
  return one
}

const told = (channelId: string, fields: Partial<StreamStatus>) =>
  void api.statuses.set(channelId, onAirStatus(channelId, { epoch: 1, ...fields }))

test('a channel is made, read by id and by slug, changed, listed and deleted', async () => {
  const one = await channel({ slug: 'jazz', description: 'All night', genre: 'Jazz' })
  for (const key of [one.id, 'jazz']) {
    const { status, body } = await api.call('GET', `/api/channels/${key}`)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      id: one.id,
      slug: 'jazz',
      description: 'All night',
      genre: 'Jazz',
      state: 'off',
      owner_id: userId,
    })
  }
  const changed = await api.call('PUT', '/api/channels/jazz', { token, body: { name: 'Jazz at night' } })
  expect(changed.body).toMatchObject({ name: 'Jazz at night', description: 'All night' })
  const list = await api.call('GET', '/api/channels?per_page=1')
  expect(list.body).toMatchObject({ current_page: 1, per_page: 1, data: [{ id: one.id }] })
  expect((await api.call('DELETE', '/api/channels/jazz', { token })).status).toBe(204)
  expect((await api.call('GET', '/api/channels/jazz')).status).toBe(404)
})

test('what needs decoding is taken in mode encode, and refused by name in mode copy', async () => {
  const one = await channel()
  expect(one).toMatchObject({ mode: 'copy', format: 'mp3', bitrate_kbps: 128, crossfade_ms: 0, loudness_lufs: null })
  const put = (body: object) => api.call('PUT', `/api/channels/${one.id}`, { token, body })
  for (const [field, value] of Object.entries({ format: 'opus', crossfade_ms: 3000, loudness_lufs: -16, bitrate_kbps: 192 })) {
    const refused = await put({ [field]: value })
    expect([refused.status, refused.body.error]).toEqual([400, 'BAD_REQUEST'])
    expect(refused.body.message).toMatch(/set mode to encode/)
    expect(refused.body.details).toEqual([expect.stringContaining(field)])
  }
  const mixing = { mode: 'encode', format: 'opus', crossfade_ms: 3000, loudness_lufs: -16, bitrate_kbps: 192 }
  expect(await put(mixing)).toMatchObject({ status: 200, body: mixing })
  const back = await put({ mode: 'copy' })
  expect([back.status, back.body.details.length]).toEqual([400, 4])
  expect(await put({ name: 'Still' })).toMatchObject({ status: 200, body: { name: 'Still', ...mixing } })
  const copied = { mode: 'copy', format: 'mp3', crossfade_ms: 0, loudness_lufs: null, bitrate_kbps: 128 }
  expect(await put(copied)).toMatchObject({ status: 200, body: copied })
  for (const nonsense of [
    { mode: 'x' },
    { format: 'flac' },
    { crossfade_ms: -1 },
    { crossfade_ms: 15_001 },
    { loudness_lufs: 0 },
    { bitrate_kbps: 100 },
  ])
    expect((await put(nonsense)).body.message).toContain(Object.keys(nonsense)[0])
  expect(await channel(mixing)).toMatchObject(mixing)
})

test('a running channel is told how to mix, and told again when a piece of it is cut', async () => {
  api.servers.set('one', { capacity: 100, sight: { kind: 'heard' } })
  const { id } = await channel({ mode: 'encode', crossfade_ms: 2000, loudness_lufs: -16 })
  const measured = { loudnessLufs: -20, peakDbfs: -12, cueInMs: 100, cueOutMs: 900 }
  const media = await api.stores.media.add({ ...musicRecord(userId), ...measured }, async () => {})
  await api.call('POST', `/api/channels/${id}/media`, { token, body: { media_ids: [media.id] } })
  await api.call('POST', `/api/channels/${id}/stream/start`, { token })
  const told = async () =>
    (await api.query<{ payload: object }>('SELECT payload FROM outbox WHERE key = $1 ORDER BY id', [id])).at(-1)!.payload
  expect(await told()).toMatchObject({
    mode: 'encode',
    crossfade_ms: 2000,
    tracks: [{ gain_db: 4.9, cue_in_ms: 100, cue_out_ms: 900 }],
  })

  const cut = (body: object) => api.call('PUT', `/api/media/${media.id}`, { token, body })
  expect(await cut({ cue_in_ms: 0, cue_out_ms: null })).toMatchObject({ status: 200, body: { cue_in_ms: 0, cue_out_ms: null } })
  expect(await told()).toMatchObject({ generation: 2, tracks: [expect.not.objectContaining({ cue_in_ms: expect.anything() })] })
  for (const [wrong, field] of [
    [{ cue_in_ms: 1000 }, 'cue_in_ms'],
    [{ cue_in_ms: 500, cue_out_ms: 500 }, 'cue_in_ms'],
    [{ cue_out_ms: 1001 }, 'cue_out_ms'],
    [{ cue_in_ms: -1 }, 'cue_in_ms'],
    [{ title: 'x' }, 'title'],
  ] as const) {
    const { status, body } = await cut(wrong)
    expect([status, body.message]).toEqual([400, expect.stringContaining(field)])
  }
  expect(
    (await api.call('PUT', `/api/channels/${id}`, { token, body: { mode: 'copy', crossfade_ms: 0, loudness_lufs: null } }))
      .status,
  ).toBe(200)
  expect(await told()).toMatchObject({
    generation: 3,
    mode: 'copy',
    tracks: [expect.not.objectContaining({ gain_db: expect.anything() })],
  })
  api.servers.clear()
})

test('a slug is made from the name where none is given, and never collides', async () => {
  const slugs = new Set<string>()
  for (let i = 0; i < 5; i++) {
    const { body } = await api.call('POST', '/api/channels', { token, body: { name: 'Café del Mar' } })
    expect(body.channel.slug).toMatch(/^cafe-del-mar-[a-z0-9]{6}$/)
    slugs.add(body.channel.slug)
  }
  expect(slugs.size).toBe(5)
})

test('a slug that is taken is refused', async () => {
  await channel({ slug: 'taken' })
  const { status, body } = await api.call('POST', '/api/channels', { token, body: { name: 'x', slug: 'taken' } })
  expect([status, body.error]).toEqual([409, 'CONFLICT'])
  expect(body.message).toContain('taken')
})

test.each([
  [{ name: '' }, 'name'],
  [{ name: ' \t' }, 'name'],
  [{ name: 'a\0b' }, 'name'],
  [{ name: 'a\nb' }, 'name'],
  [{ name: 'x'.repeat(121) }, 'name'],
  [{ name: 'x'.repeat(10_000) }, 'name'],
  [{ name: '\ud800' }, 'name'],
  [{ name: 5 }, 'name'],
  [{ name: 'Radio \u202egnp' }, 'name'],
  [{ name: 'x', description: 'a\u200bb' }, 'description'],
  [{ name: 'x', genre: '\u200d' }, 'genre'],
  [{}, 'name'],
  [{ name: 'x', slug: '../../etc' }, 'slug'],
  [{ name: 'x', slug: 'a/b' }, 'slug'],
  [{ name: 'x', slug: 'ADMIN' }, 'slug'],
  [{ name: 'x', slug: 'admin' }, 'slug'],
  [{ name: 'x', slug: '01a1fc63-3706-72df-b1e5-95ec58becb4d' }, 'slug'],
  [{ name: 'x', description: 'a'.repeat(2001) }, 'description'],
  [{ name: 'x', description: 'a\r\nice-name: b' }, 'description'],
  [{ name: 'x', genre: 'a'.repeat(101) }, 'genre'],
  [{ name: 'x', owner_id: 'somebody' }, 'owner_id'],
  [{ name: 'x', wanted: 'on' }, 'wanted'],
  [{ name: 'x', __proto__: { polluted: true }, constructor: 'x' }, 'constructor'],
])('A5: %j is refused with 400, and %s named', async (body, field) => {
  const answer = await api.call('POST', '/api/channels', { token, body })
  expect([answer.status, answer.body.error]).toEqual([400, 'BAD_REQUEST'])
  expect(answer.body.message).toContain(field)
  expect(answer.body.details.join()).toContain(field)
})

test('a slug that has a wrong form is not called reserved as well', async () => {
  const { body } = await api.call('POST', '/api/channels', { token, body: { name: 'x', slug: 'Ä' } })
  expect(body.details).toEqual([expect.stringMatching(/^slug: must be/)])
})

test.each([
  '#{process.run("touch canary")}"',
  "'; DROP TABLE channels; --",
  '<script>alert(1)</script>',
  'annotate:title="x":/etc/passwd',
  'process:mp3,touch canary',
  '$(touch canary)`x`',
  '📻 ラジオ 👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  '%s%n',
  '../../etc/passwd',
])('A1, A11: the name %j is text, kept and shown as it is', async (name) => {
  const { body, headers } = await api.call('POST', '/api/channels', { token, body: { name, description: name, genre: name } })
  expect(body.channel).toMatchObject({ name, description: name, genre: name })
  expect(headers['content-type']).toMatch(/^application\/json/)
  expect((await api.call('GET', `/api/channels/${body.channel.id}`)).body.name).toBe(name)
})

test.each([
  '/api/channels/none',
  '/api/channels/..%2f..%2fetc',
  '/api/channels/%00',
  '/api/channels/a%20b',
  '/api/channels/%ff',
  '/api/channels/none/stream/status',
  '/api/channels/none/stream-url',
  `/api/channels/${'a'.repeat(250)}`,
  '/api/nothing',
  '/',
])('A5: %s answers 4xx in the one shape of errors, without a stack', async (url) => {
  const { status, body, text } = await api.call('GET', url)
  expect([400, 404]).toContain(status)
  expect(Object.keys(body)).toEqual(expect.arrayContaining(['error', 'message']))
  expect(text).not.toMatch(/at .*\.ts|node_modules/)
})

test('wrong JSON, a wrong content type and a body that is too large are told apart', async () => {
  const post = (headers: Record<string, string>, payload: string) =>
    api.app.inject({ method: 'POST', url: '/api/channels', headers: { authorization: `Bearer ${token}`, ...headers }, payload })
  const json = { 'content-type': 'application/json' }
  const answers = [
    await post(json, '{"name":'),
    await post(json, ''),
    await post({ 'content-type': 'text/xml' }, '<a/>'),
    await post(json, JSON.stringify({ name: 'x'.repeat(200_000) })),
    await post(json, '{"__proto__":{"a":1},"name":"x"}'),
  ]
  expect(answers.map((answer) => [answer.statusCode, answer.json().error])).toEqual([
    [400, 'BAD_REQUEST'],
    [400, 'BAD_REQUEST'],
    [415, 'UNSUPPORTED_MEDIA_TYPE'],
    [413, 'TOO_LARGE'],
    [400, 'BAD_REQUEST'],
  ])
})

test.each(['application/json', 'application/x-www-form-urlencoded', 'text/plain'])(
  'what needs no body takes none, though its type were %s',
  async (type) => {
    const { id } = await channel()
    const url = `/api/channels/${id}/stream`
    const ask = async (action: string) => {
      const answer = await api.call('POST', `${url}/${action}`, {
        token,
        headers: { 'content-type': type, 'content-length': '0' },
      })
      return answer.status
    }
    expect([await ask('start'), await ask('stop')]).toEqual([409, 202]) // there is nothing to play yet
  },
)

test.each(['page=0', 'page=x', 'per_page=101', 'per_page=-1', 'page=1e9', 'sort=id;drop', 'page=1&page=2'])(
  'a list refuses %s',
  async (query) => {
    expect((await api.call('GET', `/api/channels?${query}`)).status).toBe(400)
  },
)

test('starting an empty playlist says what to do', async () => {
  const { id } = await channel()
  const { status, body } = await api.call('POST', `/api/channels/${id}/stream/start`, { token })
  expect([status, body.error]).toEqual([409, 'CONFLICT'])
  expect(body.message).toMatch(/upload.*attach/i)
  expect((await api.call('GET', `/api/channels/${id}`)).body.state).toBe('off')
})

test('start and stop answer 202 with the channel, the command and what is observed', async () => {
  const { id, slug } = await withMusic()
  api.servers.set('one', { capacity: 10, sight: { kind: 'heard' } })
  const started = await api.call('POST', `/api/channels/${id}/stream/start`, { token })
  expect(started.status).toBe(202)
  expect(started.body).toEqual({
    message: 'Stream start command sent successfully',
    channel: { id, name: 'Radio', slug, state: 'on' },
    command: { id: `${id}:1` },
    stream: {
      phase: 'starting',
      server: 'one',
      epoch: 1,
      mount: `/${slug}`,
      listen_url: `http://radio.test:8000/${slug}`,
      since: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      observed_at: null,
      stale: false,
      now_playing: null,
      listeners: null,
      last_error: null,
    },
  })
  const again = await api.call('POST', `/api/channels/${id}/stream/start`, { token })
  expect(again.body.command).toEqual(started.body.command)

  told(id, {})
  const status = await api.call('GET', `/api/channels/${slug}/stream/status`)
  expect(status.body.stream).toMatchObject({
    phase: 'on_air',
    since: '2023-11-14T22:13:20.000Z',
    now_playing: { title: 'T', artist: 'A', started_at: '2023-11-14T22:13:20.000Z' },
  })
  expect(status.body).not.toHaveProperty('command')
  api.deaf.since = Date.now()
  expect((await api.call('GET', `/api/channels/${slug}/stream/status`)).body.stream).toMatchObject({
    phase: 'on_air',
    observed_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    stale: true,
    last_error: { code: 'BUS_UNREACHABLE' },
  })
  api.deaf.since = null

  const stopped = await api.call('POST', `/api/channels/${id}/stream/stop`, { token })
  expect(stopped.body).toMatchObject({
    message: 'Stream stop command sent successfully',
    channel: { state: 'off' },
    stream: { phase: 'stopping' },
  })
  told(id, { phase: 'off', generation: 2 })
  expect((await api.call('GET', `/api/channels/${id}/stream/status`)).body.stream).toMatchObject({ phase: 'off', listeners: 0 })
  api.servers.clear()
})

test('the state can be said instead: it is the same as start and stop, however often', async () => {
  const { id } = await withMusic()
  const put = (state: string) => api.call('PUT', `/api/channels/${id}/state`, { token, body: { state } })
  const started = await api.call('POST', `/api/channels/${id}/stream/start`, { token })
  expect(await put('on')).toMatchObject({ status: 202, body: started.body })
  const stopped = await put('off')
  expect(stopped).toMatchObject({ status: 202, body: { channel: { state: 'off' }, command: { id: `${id}:2` } } })
  expect((await put('off')).body).toEqual(stopped.body)
  expect((await put('paused')).status).toBe(400)
  expect((await api.call('PUT', `/api/channels/${(await channel()).id}/state`, { token, body: { state: 'on' } })).status).toBe(
    409,
  )
})

test('without a server a wanted channel is being placed, and a start is still taken', async () => {
  const { id } = await withMusic()
  const { status, body } = await api.call('POST', `/api/channels/${id}/stream/start`, { token })
  expect([status, body.channel.state, body.stream.phase, body.stream.server]).toEqual([202, 'on', 'placing', null])
})

test('a started channel goes to a server with room, and after a stop back to the same one', async () => {
  api.servers.set('full', { capacity: 0, sight: { kind: 'heard' } })
  api.servers.set('free', { capacity: 100, sight: { kind: 'heard' } })
  const { id } = await withMusic()
  const start = () => api.call('POST', `/api/channels/${id}/stream/start`, { token })
  expect((await start()).body.stream).toMatchObject({ server: 'free', epoch: 1 })
  await api.call('POST', `/api/channels/${id}/stream/stop`, { token })
  api.servers.set('other', { capacity: 100, sight: { kind: 'heard' } })
  expect((await start()).body.stream).toMatchObject({ server: 'free', epoch: 1 })
  await api.call('POST', `/api/channels/${id}/stream/stop`, { token })
  api.servers.set('free', { capacity: 100, sight: { kind: 'silent', since: 0 } })
  expect((await start()).body.stream).toMatchObject({ server: 'other', epoch: 2 })
  api.servers.clear()
})

test('a channel whose server is silent is failing, with what to do', async () => {
  api.servers.set('one', { capacity: 10, sight: { kind: 'heard' } })
  const { id } = await withMusic()
  await api.call('POST', `/api/channels/${id}/stream/start`, { token })
  told(id, {})
  api.servers.set('one', { capacity: 10, sight: { kind: 'silent', since: 1_700_000_000_000 } })
  const { stream } = (await api.call('GET', `/api/channels/${id}/stream/status`)).body
  expect(stream).toMatchObject({
    phase: 'failing',
    now_playing: null,
    last_error: { code: 'SERVER_SILENT', hint: expect.any(String) },
  })
  api.servers.clear()
})

test('two starts at the same moment are one start', async () => {
  for (const id of ['a', 'b', 'c', 'd']) api.servers.set(id, { capacity: 100, sight: { kind: 'heard' } })
  for (let round = 0; round < 10; round++) {
    const { id } = await withMusic()
    const answers = await Promise.all([1, 2, 3].map(() => api.call('POST', `/api/channels/${id}/stream/start`, { token })))
    expect(new Set(answers.map(({ body }) => `${body.stream.epoch} ${body.stream.server} ${body.command.id}`)).size).toBe(1)
    expect(await api.query('SELECT epoch::int, generation::int FROM channels WHERE id = $1', [id])).toEqual([
      { epoch: 1, generation: 1 },
    ])
  }
  api.servers.clear()
})

test('listeners are those that metrics counted lately', async () => {
  const { id } = await withMusic()
  await api.call('POST', `/api/channels/${id}/stream/start`, { token })
  const listeners = async () => (await api.call('GET', `/api/channels/${id}/stream/status`)).body.stream.listeners
  expect(await listeners()).toBeNull()
  await api.stores.listenerCounts.record({ channelId: id, count: 7, peak: 9, observedAt: new Date(Date.now() - 3_600_000) })
  expect(await listeners()).toBeNull()
  await api.stores.listenerCounts.record({ channelId: id, count: 8, peak: 9, observedAt: new Date() })
  expect(await listeners()).toBe(8)
})

test('media of others, unknown ones and nonsense are not attached', async () => {
  const { id } = await channel()
  const stranger = await api.user('dj')
  const foreign = await api.stores.media.add(musicRecord(stranger.user.id), async () => {})
  const attach = (mediaIds: unknown) => api.call('POST', `/api/channels/${id}/media`, { token, body: { media_ids: mediaIds } })
  expect((await attach([foreign.id])).body).toMatchObject({ error: 'NOT_FOUND', details: { media_ids: [foreign.id] } })
  expect((await attach(['01a1fc63-3706-72df-b1e5-95ec58becb4d'])).status).toBe(404)
  for (const nonsense of [[], ['a\0'], ['../x'], 'x', [1], Array(501).fill(foreign.id)])
    expect((await attach(nonsense)).status).toBe(400)
  expect((await api.call('GET', `/api/channels/${id}/media`, { token })).body.total).toBe(0)
})

test('a playlist is listed in order of play and can be taken apart', async () => {
  const { id } = await channel()
  const ids: string[] = []
  for (let i = 0; i < 3; i++) ids.push((await api.stores.media.add(musicRecord(userId), async () => {})).id)
  await api.call('POST', `/api/channels/${id}/media`, { token, body: { media_ids: [ids[2], ids[0], ids[1]] } })
  const list = async () =>
    (await api.call('GET', `/api/channels/${id}/media`, { token })).body.data.map((item: { id: string }) => item.id)
  expect(await list()).toEqual([ids[2], ids[0], ids[1]])
  await api.call('DELETE', `/api/channels/${id}/media`, { token, body: { media_ids: [ids[0]] } })
  expect(await list()).toEqual([ids[2], ids[1]])
})

test('the service tells that it lives, and of each dependency how it is', async () => {
  expect((await api.call('GET', '/api/ping')).text).toBe('pong')
  expect((await api.call('GET', '/up')).body).toEqual({ status: 'ok' })
  expect((await api.call('GET', '/healthz')).status).toBe(200)
  api.health.report('database', null)
  expect((await api.call('GET', '/readyz')).status).toBe(200)
  api.health.report('bus', 'away')
  const { status, body } = await api.call('GET', '/readyz')
  expect([status, body]).toEqual([
    503,
    { ready: false, dependencies: { database: { ok: true, problem: null }, bus: { ok: false, problem: 'away' } } },
  ])
})

test('the documentation is served, and forbids scripts of strangers', async () => {
  const page = await api.call('GET', '/docs/')
  expect(page.status).toBe(200)
  expect(String(page.headers['content-security-policy'])).toContain("default-src 'self'")
  expect((await api.call('GET', '/docs/json')).body.openapi).toBe('3.1.0')
})
