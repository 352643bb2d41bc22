import { expect, test } from '@jest/globals'
import { musicRecord } from './test-api.ts'
import { testChannels } from './test-channels.ts'

const given = testChannels()
const { channel } = given

test('a channel is made, read by id and by slug, changed, listed and deleted', async () => {
  const one = await channel({ slug: 'jazz', description: 'All night', genre: 'Jazz' })
  for (const key of [one.id, 'jazz']) {
    const { status, body } = await given.api.call('GET', `/api/channels/${key}`)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      id: one.id,
      slug: 'jazz',
      description: 'All night',
      genre: 'Jazz',
      state: 'off',
      owner_id: given.userId,
    })
  }
  const changed = await given.api.call('PUT', '/api/channels/jazz', { token: given.token, body: { name: 'Jazz at night' } })
  expect(changed.body).toMatchObject({ name: 'Jazz at night', description: 'All night' })
  const list = await given.api.call('GET', '/api/channels?per_page=1')
  expect(list.body).toMatchObject({ current_page: 1, per_page: 1, data: [{ id: one.id }] })
  expect((await given.api.call('DELETE', '/api/channels/jazz', { token: given.token })).status).toBe(204)
  expect((await given.api.call('GET', '/api/channels/jazz')).status).toBe(404)
})

test('the playlist of a public channel is for everybody, but for pieces that are private or not ready, and what concerns their owner', async () => {
  const [one, other] = [await channel(), await given.api.user('dj')]
  const piece = (ownerId: string, fields: object) => given.api.stores.media.add({ ...musicRecord(ownerId), ...fields })
  const pieces = [
    await piece(given.userId, { title: 'Open', visibility: 'public', fileSha256: 'c'.repeat(64) }),
    await piece(given.userId, { title: 'Private' }),
    await piece(given.userId, { title: 'Processed', visibility: 'public', state: 'processing' }),
    await piece(other.user.id, { title: 'Of another', visibility: 'public' }),
  ]
  const ids = pieces.map(({ id }) => id)
  const url = `/api/channels/${one.id}/media`
  const { status } = await given.api.call('POST', url, { token: given.token, body: { media_ids: ids } })
  expect(status).toBe(200)
  const read = async (token?: string) => (await given.api.call('GET', url, token === undefined ? {} : { token })).body
  const titles = ({ data }: { data: { title: string }[] }) => data.map(({ title }) => title)

  const strangers = await read()
  expect([strangers.total, titles(strangers), titles(await read(other.token))]).toEqual([
    2,
    ['Open', 'Of another'],
    ['Open', 'Of another'],
  ])
  const asOwner = ['file', 'original_name', 'problem']
  const told = ({ data }: { data: object[] }) => data.map((each) => asOwner.filter((field) => field in each).length)
  const own = await read(given.token)
  const { token: admin } = await given.api.user('admin')
  expect(titles(own)).toEqual(['Open', 'Private', 'Processed', 'Of another'])
  expect([told(strangers), told(await read(other.token)), told(own), told(await read(admin))]).toEqual([
    [0, 0],
    [0, 3],
    [3, 3, 3, 0],
    [3, 3, 3, 3],
  ])
  const blind = (await given.api.stores.accounts.createToken(given.userId, 'blind', { scopes: [] })).secret
  expect(titles(await read(blind))).toEqual(['Open', 'Of another'])

  const list = (query: string, token = other.token) => given.api.call('GET', `/api/media?${query}`, { token })
  expect((await list('of=public&search=tune.mp3')).body.total).toBe(0)
  expect((await list('search=tune.mp3')).body.total).toBe(1)
  expect((await list('of=public&state=failed')).status).toBe(400)
  const seen = async (id: string, part = '') =>
    (await given.api.call('GET', `/api/media/${id}${part}`, { token: other.token })).status
  expect([await seen(ids[0]!), await seen(ids[0]!, '/jobs'), await seen(ids[2]!)]).toEqual([200, 404, 404])
})

test('what needs decoding is taken in mode encode, and refused by name in mode copy', async () => {
  const one = await channel()
  expect(one).toMatchObject({ mode: 'copy', format: 'mp3', bitrate_kbps: 128, crossfade_ms: 0, loudness_lufs: null })
  const put = (body: object) => given.api.call('PUT', `/api/channels/${one.id}`, { token: given.token, body })
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

test('a channel says how many may listen, and do; a running one is told', async () => {
  given.api.servers.set('one', { capacity: 100, sight: { kind: 'heard' } })
  const { id } = await given.withMusic()
  const url = `/api/channels/${id}`
  const put = (max_listeners: unknown) => given.api.call('PUT', url, { token: given.token, body: { max_listeners } })
  for (const nonsense of [0, -1, 1.5, 1_000_001, '5', 'all'])
    expect([nonsense, (await put(nonsense)).body.message]).toEqual([nonsense, expect.stringContaining('max_listeners')])
  const shown = async () => {
    const { max_listeners, current_listeners } = (await given.api.call('GET', url)).body
    return [max_listeners, current_listeners]
  }
  expect(await shown()).toEqual([null, 0])
  await given.api.call('POST', `${url}/stream/start`, { token: given.token })
  expect(await shown()).toEqual([null, null])
  const at = Date.now()
  await given.api.stores.listenerCounts.record({ channelId: id, count: 3, peak: 4, observedAt: new Date(at) })
  expect((await put(5)).body).toMatchObject({ max_listeners: 5, current_listeners: 3 })
  await given.api.query(`UPDATE listener_counts SET observed_at = observed_at - interval '3 minutes' WHERE channel_id = $1`, [id])
  expect(await shown()).toEqual([5, null])
  expect(
    (await given.api.call('PATCH', url, { token: given.token, body: { max_listeners: null } })).body.max_listeners,
  ).toBeNull()
  const told = await given.api.query<{ payload: { max_listeners?: number } }>(
    `SELECT payload FROM outbox WHERE topic = 'streamCommands' AND key = $1 ORDER BY id`,
    [id],
  )
  expect(told.map(({ payload }) => payload.max_listeners ?? null)).toEqual([null, 5, null])
  expect(await channel({ max_listeners: 1 })).toMatchObject({ max_listeners: 1, current_listeners: 0 })
})

test('a running channel is told how to mix, and told again when a piece of it is cut', async () => {
  given.api.servers.set('one', { capacity: 100, sight: { kind: 'heard' } })
  const { id } = await channel({ mode: 'encode', crossfade_ms: 2000, loudness_lufs: -16 })
  const measured = { loudnessLufs: -20, peakDbfs: -12, cueInMs: 100, cueOutMs: 900 }
  const media = await given.api.stores.media.add({ ...musicRecord(given.userId), ...measured })
  await given.api.call('POST', `/api/channels/${id}/media`, { token: given.token, body: { media_ids: [media.id] } })
  await given.api.call('POST', `/api/channels/${id}/stream/start`, { token: given.token })
  const told = async () =>
    (await given.api.query<{ payload: object }>('SELECT payload FROM outbox WHERE key = $1 ORDER BY id', [id])).at(-1)!.payload
  expect(await told()).toMatchObject({
    mode: 'encode',
    crossfade_ms: 2000,
    tracks: [{ gain_db: 4.9, cue_in_ms: 100, cue_out_ms: 900 }],
  })

  const cut = (body: object) => given.api.call('PUT', `/api/media/${media.id}`, { token: given.token, body })
  expect(await cut({ cue_in_ms: 0, cue_out_ms: null })).toMatchObject({ status: 200, body: { cue_in_ms: 0, cue_out_ms: null } })
  expect(await told()).toMatchObject({ generation: 2, tracks: [expect.not.objectContaining({ cue_in_ms: expect.anything() })] })
  for (const [wrong, field] of [
    [{ cue_in_ms: 1000 }, 'cue_in_ms'],
    [{ cue_in_ms: 500, cue_out_ms: 500 }, 'cue_in_ms'],
    [{ cue_out_ms: 1001 }, 'cue_out_ms'],
    [{ cue_in_ms: -1 }, 'cue_in_ms'],
    [{ title: '' }, 'title'],
  ] as const) {
    const { status, body } = await cut(wrong)
    expect([status, body.message]).toEqual([400, expect.stringContaining(field)])
  }
  expect(
    (
      await given.api.call('PUT', `/api/channels/${id}`, {
        token: given.token,
        body: { mode: 'copy', crossfade_ms: 0, loudness_lufs: null },
      })
    ).status,
  ).toBe(200)
  expect(await told()).toMatchObject({
    generation: 3,
    mode: 'copy',
    tracks: [expect.not.objectContaining({ gain_db: expect.anything() })],
  })
  given.api.servers.clear()
})

test('a slug is made from the name where none is given, and never collides', async () => {
  const slugs = new Set<string>()
  for (let i = 0; i < 5; i++) {
    const { body } = await given.api.call('POST', '/api/channels', { token: given.token, body: { name: 'Café del Mar' } })
    expect(body.channel.slug).toMatch(/^cafe-del-mar-[a-z0-9]{6}$/)
    slugs.add(body.channel.slug)
  }
  expect(slugs.size).toBe(5)
})

test('a slug that is taken is refused', async () => {
  await channel({ slug: 'taken' })
  const { status, body } = await given.api.call('POST', '/api/channels', {
    token: given.token,
    body: { name: 'x', slug: 'taken' },
  })
  expect([status, body.error]).toEqual([409, 'CONFLICT'])
  expect(body.message).toContain('taken')
})

test('media of others, unknown ones and nonsense are not attached', async () => {
  const { id } = await channel()
  const stranger = await given.api.user('dj')
  const foreign = await given.api.stores.media.add(musicRecord(stranger.user.id))
  const attach = (mediaIds: unknown) =>
    given.api.call('POST', `/api/channels/${id}/media`, { token: given.token, body: { media_ids: mediaIds } })
  expect((await attach([foreign.id])).body).toMatchObject({ error: 'NOT_FOUND', details: { media_ids: [foreign.id] } })
  expect((await attach(['01a1fc63-3706-72df-b1e5-95ec58becb4d'])).status).toBe(404)
  for (const nonsense of [[], ['a\0'], ['../x'], 'x', [1], Array(501).fill(foreign.id)])
    expect((await attach(nonsense)).status).toBe(400)
  expect((await given.api.call('GET', `/api/channels/${id}/media`, { token: given.token })).body.total).toBe(0)
})

test('a playlist is listed in order of play and can be taken apart', async () => {
  const { id } = await channel()
  const ids: string[] = []
  for (let i = 0; i < 3; i++) ids.push((await given.api.stores.media.add(musicRecord(given.userId))).id)
  await given.api.call('POST', `/api/channels/${id}/media`, { token: given.token, body: { media_ids: [ids[2], ids[0], ids[1]] } })
  const list = async () =>
    (await given.api.call('GET', `/api/channels/${id}/media`, { token: given.token })).body.data.map(
      (item: { id: string }) => item.id,
    )
  expect(await list()).toEqual([ids[2], ids[0], ids[1]])
  await given.api.call('DELETE', `/api/channels/${id}/media`, { token: given.token, body: { media_ids: [ids[0]] } })
  expect(await list()).toEqual([ids[2], ids[1]])
})

test('the service tells that it lives, and of each dependency how it is', async () => {
  expect((await given.api.call('GET', '/api/ping')).text).toBe('pong')
  expect((await given.api.call('GET', '/up')).body).toEqual({ status: 'ok' })
  expect((await given.api.call('GET', '/healthz')).status).toBe(200)
  given.api.health.report('database', null)
  expect((await given.api.call('GET', '/readyz')).status).toBe(200)
  given.api.health.report('bus', 'away')
  const { status, body } = await given.api.call('GET', '/readyz')
  expect([status, body]).toEqual([
    503,
    { ready: false, dependencies: { database: { ok: true, problem: null }, bus: { ok: false, problem: 'away' } } },
  ])
})

test('the documentation is served, and forbids scripts of strangers', async () => {
  const page = await given.api.call('GET', '/docs/')
  expect(page.status).toBe(200)
  expect(String(page.headers['content-security-policy'])).toContain("default-src 'self'")
  expect((await given.api.call('GET', '/docs/json')).body.openapi).toBe('3.1.0')
})
