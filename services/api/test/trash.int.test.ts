import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { emptyTrash } from '../src/empty-trash.ts'
import { musicRecord, testApi, type TestApi } from './test-api.ts'

const DAY_MS = 86_400_000

let api: TestApi
let token: string
let userId: string
let admin: string

beforeAll(async () => {
  api = await testApi({ channelsPerUser: 5 })
  admin = (await api.user('admin')).token
}, 60_000)
afterAll(async () => api[Symbol.asyncDispose]())

const call = (method: string, url: string, body?: object, by = token) =>
  api.call(method, url, { token: by, ...(body && { body }) })

/** From here on somebody else asks, who has nothing yet. */
async function newcomer(): Promise<void> {
  const made = await api.user('dj')
  token = made.token
  userId = made.user.id
}

async function channel(fields: object = {}): Promise<{ id: string; slug: string }> {
  const { status, body } = await call('POST', '/api/channels', { name: 'Radio', ...fields })
  expect(status).toBe(201)
  return body.channel
}

test('a channel goes off air into the trash, where only its owner and admins see it, and comes back with all that it had', async () => {
  await newcomer()
  const one = await channel({ genre_ids: [1, 2], privacy: 'public', slug: 'to-the-trash' })
  const pieces = await Promise.all([0, 1, 2].map(() => api.stores.media.add(musicRecord(userId))))
  const media_ids = pieces.map(({ id }) => id)
  await call('POST', `/api/channels/${one.id}/media`, { media_ids })
  await call('POST', `/api/channels/${one.id}/stream/start`)
  const before = (await call('GET', '/api/channels/to-the-trash')).body
  expect((await call('DELETE', '/api/channels/to-the-trash')).status).toBe(204)

  const commands = await api.query<{ payload: { event: string; epoch: number } }>(
    'SELECT payload FROM outbox WHERE key = $1 ORDER BY id',
    [one.id],
  )
  expect(commands.map(({ payload }) => payload.event)).toEqual(['start_stream', 'stop_stream'])
  for (const path of ['', '/stream/status', '/stream-url', '/track-plays', '/media'])
    expect((await call('GET', `/api/channels/to-the-trash${path}`)).status).toBe(404)
  expect((await call('POST', `/api/channels/${one.id}/stream/start`)).status).toBe(404)
  expect((await call('GET', '/api/channels?search=to-the-trash')).body.total).toBe(0)
  expect((await call('POST', '/api/channels', { name: 'x', slug: 'to-the-trash' })).body.error).toBe('CONFLICT')

  for (const path of ['/api/channels/trash/view', '/api/channels/trashed']) {
    const { body } = await call('GET', path)
    expect([body.total, body.data[0].id]).toEqual([1, one.id])
  }
  const { data } = (await call('GET', `/api/channels/trash/view/${one.id}`)).body
  expect(data).toMatchObject({ slug: 'to-the-trash', state: 'off', genre_ids: [1, 2] })
  expect(Date.parse(data.removed_at) - Date.parse(data.deleted_at)).toBe(30 * DAY_MS)
  const stranger = (await api.user('dj')).token
  expect((await call('GET', '/api/channels/trash/view', undefined, stranger)).body.total).toBe(0)
  expect((await call('GET', '/api/channels/trash/view/to-the-trash', undefined, stranger)).status).toBe(404)
  expect((await call('POST', '/api/channels/trash/restore', { ids: [one.id] }, stranger)).body).toMatchObject({
    error: 'NOT_FOUND',
    details: { ids: [one.id] },
  })
  expect((await call('GET', '/api/channels/trash/view', undefined, admin)).body.total).toBe(1)

  await call('DELETE', `/api/media/${media_ids[1]}`) // it leaves this playlist too
  const restored = await call('POST', '/api/channels/to-the-trash/restore')
  expect(restored).toMatchObject({ status: 200, body: { message: 'Channels restored successfully', channels: [{ id: one.id }] } })
  const after = (await call('GET', '/api/channels/to-the-trash')).body
  expect({ ...after, updated_at: '' }).toEqual({ ...before, state: 'off', current_listeners: 0, updated_at: '' })
  expect((await call('GET', `/api/channels/${one.id}/media`)).body.data.map(({ id }: { id: string }) => id)).toEqual([
    media_ids[0],
    media_ids[2],
  ])
  // A deleted piece keeps its place, for when it comes back too.
  expect(await api.query('SELECT position FROM channel_media WHERE channel_id = $1 ORDER BY 1', [one.id])).toEqual([
    { position: 0 },
    { position: 1 },
    { position: 2 },
  ])
  expect((await call('POST', `/api/channels/${one.id}/stream/start`)).status).toBe(202)
})

test.each(['/api/channels/trash/restore', '/api/channel/trash/restore', '/api/channels/restore'])(
  'POST %s takes some out of the trash, all or none',
  async (path) => {
    await newcomer()
    const made = [await channel(), await channel()]
    for (const { id } of made) await call('DELETE', `/api/channels/${id}`)
    const ids = made.map(({ id }) => id)
    const unknown = '01a1fc63-3706-72df-b1e5-95ec58becb4d'
    expect((await call('POST', path, { ids: [...ids, unknown] })).body.details).toEqual({ ids: [unknown] })
    expect((await call('GET', '/api/channels/trash/view')).body.total).toBe(2)
    for (const nonsense of [[], ['x'], [1], 'x', Array(101).fill(unknown)])
      expect((await call('POST', path, { ids: nonsense })).status).toBe(400)
    expect((await call('POST', path, { ids: [...ids, ids[0]] })).body.channels).toHaveLength(2)
    expect((await call('GET', '/api/channels/trash/view')).body.total).toBe(0)
    expect((await call('POST', path, { ids })).status).toBe(404)
  },
)

test('nobody has more than five channels, whether made or restored, however many ask at once; who is premium may', async () => {
  await newcomer()
  const first = await channel()
  await call('DELETE', `/api/channels/${first.id}`)
  const made = await Promise.all(Array.from({ length: 8 }, () => call('POST', '/api/channels', { name: 'Radio' })))
  expect([201, 409].map((each) => made.filter(({ status }) => status === each).length)).toEqual([5, 3])
  const refused = await call('POST', `/api/channels/${first.id}/restore`)
  expect([refused.status, refused.body.message]).toEqual([409, expect.stringContaining('5 channels')])
  const byAdmin = await call('POST', '/api/channels/trash/restore', { ids: [first.id] }, admin)
  expect(byAdmin.status).toBe(409) // it is the owner who has them
  expect((await call('PATCH', `/api/users/${userId}`, { premium: true })).status).toBe(403)
  const raised = await call('PATCH', `/api/users/${userId}`, { premium: true }, admin)
  expect(raised.body).toMatchObject({ role: 'dj', premium: true })
  expect((await call('PATCH', `/api/users/${userId}`, {}, admin)).status).toBe(400)
  expect((await call('POST', `/api/channels/${first.id}/restore`)).status).toBe(200)
  expect((await call('POST', '/api/channels', { name: 'A seventh' })).status).toBe(201)
  expect(
    (await call('GET', '/api/channels?per_page=100')).body.data.filter((each: { owner_id: string }) => each.owner_id === userId),
  ).toHaveLength(7)
})

test('what has lain in the trash for long enough is removed for good, and its command with it', async () => {
  await newcomer()
  const [old, young] = [await channel({ slug: 'old-one' }), await channel()]
  for (const { id } of [old, young]) await call('DELETE', `/api/channels/${id}`)
  await api.query(`UPDATE channels SET deleted_at = now() - interval '31 days' WHERE id = $1`, [old.id])
  await emptyTrash(api.ports, 30, Date.now())
  expect((await call('GET', '/api/channels/trash/view')).body.data.map(({ id }: { id: string }) => id)).toEqual([young.id])
  expect((await call('POST', `/api/channels/${old.id}/restore`)).status).toBe(404)
  expect(await api.query('SELECT payload FROM outbox WHERE key = $1', [old.id])).toEqual([{ payload: null }])
  await channel({ slug: 'old-one' })
  await expect(api.stores.channels.remove(young.id, { deletedBefore: new Date(0) })).rejects.toMatchObject({ code: 'NOT_FOUND' })
})
