import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { userInteraction } from '@skipcast/contracts'
import { waitFor } from '@skipcast/runtime'
import { emptyTrash } from '../src/empty-trash.ts'
import { musicRecord, testApi, type TestApi } from './test-api.ts'

let api: TestApi
let owner: { id: string; token: string }
let one: { id: string; token: string }
let other: { id: string; token: string }
let admin: { id: string; token: string }

beforeAll(async () => {
  api = await testApi({ trustedProxies: ['127.0.0.1'] })
  const person = async (role: 'dj' | 'listener' | 'admin') => {
    const { user, token } = await api.user(role)
    return { id: user.id, token }
  }
  owner = await person('dj')
  one = await person('listener')
  other = await person('listener')
  admin = await person('admin')
}, 60_000)
afterAll(async () => api[Symbol.asyncDispose]())

const call = (by: { token: string }, method: string, url: string, body?: object) =>
  api.call(method, url, { token: by.token, ...(body && { body }) })
const channel = async (fields: object = {}): Promise<{ id: string; slug: string }> =>
  (await call(owner, 'POST', '/api/channels', { name: 'Radio', ...fields })).body.channel

test('a like counts once for each who likes, is told on the bus once, and can be taken back', async () => {
  const { id, slug } = await channel()
  const url = `/api/channels/${id}/like`
  expect((await api.call('POST', url)).status).toBe(401)
  const answers = await Promise.all(Array.from({ length: 5 }, () => call(one, 'POST', url)))
  expect(new Set(answers.map(({ status, body }) => `${status} ${body.likes}`))).toEqual(new Set(['200 1']))
  expect((await call(other, 'POST', url)).body.likes).toBe(2)
  expect((await api.call('GET', `/api/channels/${slug}`)).body.likes).toBe(2)
  expect((await api.call('GET', '/api/channels?per_page=1')).body.data[0].likes).toBe(2)
  const told = await api.query<{ payload: object }>(
    `SELECT payload FROM outbox WHERE topic = 'userInteractions' AND key = $1 ORDER BY id`,
    [id],
  )
  expect(told.map(({ payload }) => userInteraction.parse(payload))).toMatchObject([
    {
      event: 'channel_liked',
      channel_id: id,
      channel_slug: slug,
      user_id: one.id,
      metadata: { owner_id: owner.id, privacy: 'public' },
    },
    { user_id: other.id },
  ])
  expect((await call(one, 'DELETE', url)).body.likes).toBe(1)
  expect((await call(one, 'DELETE', url)).body.likes).toBe(1)
})

test('a piece is liked as a channel is: its own and public ones, once they are ready and not in the trash', async () => {
  const piece = (fields: object) => api.stores.media.add({ ...musicRecord(owner.id), ...fields })
  const { id } = await piece({ visibility: 'public', kind: 'video' })
  const url = `/api/media/${id}/like`
  const answers = await Promise.all(Array.from({ length: 5 }, () => call(one, 'POST', url)))
  expect(new Set(answers.map(({ status, body }) => `${status} ${body.likes}`))).toEqual(new Set(['200 1']))
  expect((await call(owner, 'POST', url)).body.likes).toBe(2)
  expect((await call(other, 'GET', `/api/media/${id}`)).body.likes).toBe(2)
  expect((await call(other, 'GET', '/api/media?of=public&per_page=1')).body.data[0].likes).toBe(2)
  expect((await call(owner, 'PUT', `/api/media/${id}`, { downloadable: 'yes' })).body.likes).toBe(2)
  const told = await api.query<{ payload: object }>(
    `SELECT payload FROM outbox WHERE topic = 'userInteractions' AND key = $1 ORDER BY id`,
    [id],
  )
  expect(told.map(({ payload }) => userInteraction.parse(payload))).toMatchObject([
    { event: 'media_liked', media_id: id, user_id: one.id, metadata: { owner_id: owner.id, media_type: 'video' } },
    { user_id: owner.id },
  ])
  expect((await call(one, 'DELETE', url)).body.likes).toBe(1)
  expect((await call(one, 'DELETE', url)).body.likes).toBe(1)

  const [hidden, failed, trashed] = [
    await piece({}),
    await piece({ visibility: 'public', state: 'failed' }),
    await piece({ visibility: 'public' }),
  ]
  await api.stores.mediaTrash.put(trashed.id)
  const like = async (by: { token: string }, { id }: { id: string }) => (await call(by, 'POST', `/api/media/${id}/like`)).status
  expect([await like(one, hidden), await like(owner, hidden), await like(admin, hidden)]).toEqual([404, 200, 200])
  expect([await like(owner, failed), await like(one, trashed), await like(owner, trashed)]).toEqual([409, 404, 404])
})

test('a review is said by name, once each, in place of the one before; its author and admins take it back', async () => {
  const { id } = await channel()
  const url = `/api/channels/${id}/reviews`
  for (const review of ['', '   ', 'two\nlines', 'x'.repeat(1001), 5])
    expect((await call(one, 'POST', url, { review })).status).toBe(400)
  expect((await api.call('POST', url, { body: { review: 'x' } })).status).toBe(401)
  await call(one, 'POST', url, { review: 'Too loud' })
  const made = await call(one, 'POST', url, { review: '<b>Fine</b>' })
  expect(made).toMatchObject({ status: 201, body: { review: '<b>Fine</b>', user_id: one.id, channel_id: id } })
  const second = (await call(other, 'POST', url, { review: 'Good' })).body
  const list = await api.call('GET', url)
  expect(list.body).toMatchObject({
    total: 2,
    data: [{ review: 'Good' }, { review: '<b>Fine</b>', author: expect.stringContaining('listener') }],
  })
  expect((await call(other, 'DELETE', `${url}/${made.body.id}`)).status).toBe(403)
  expect((await call(owner, 'DELETE', `${url}/${made.body.id}`)).status).toBe(403)
  const elsewhere = await channel()
  expect((await call(one, 'DELETE', `/api/channels/${elsewhere.id}/reviews/${made.body.id}`)).status).toBe(404)
  expect((await call(one, 'DELETE', `${url}/${made.body.id}`)).status).toBe(204)
  expect((await call(admin, 'DELETE', `${url}/${second.id}`)).status).toBe(204)
  expect((await call(admin, 'DELETE', `${url}/${second.id}`)).status).toBe(404)
  expect((await api.call('GET', url)).body.total).toBe(0)
})

test('what somebody said is shown no more from the moment they are deleted, also before they are erased', async () => {
  const { id } = await channel()
  const { user, token } = await api.user('listener')
  const { body } = await call({ token }, 'POST', `/api/channels/${id}/reviews`, { review: 'Mine' })
  await call(one, 'POST', `/api/channels/${id}/reviews`, { review: 'Stays' })
  expect((await call(admin, 'DELETE', `/api/users/${user.id}`)).status).toBe(204)
  const list = await api.call('GET', `/api/channels/${id}/reviews`)
  expect(list.body).toMatchObject({ total: 1, data: [{ review: 'Stays' }] })
  expect(list.text).not.toContain(user.username)
  expect((await call(admin, 'DELETE', `/api/channels/${id}/reviews/${body.id}`)).status).toBe(404)
})

test('nobody likes, reviews or reads reviews of a private channel that is not theirs', async () => {
  const { id } = await channel({ privacy: 'private' })
  for (const [method, path] of [
    ['POST', 'like'],
    ['DELETE', 'like'],
    ['POST', 'reviews'],
    ['GET', 'reviews'],
  ] as const)
    expect((await call(one, method, `/api/channels/${id}/${path}`)).status).toBe(404)
  expect((await call(owner, 'POST', `/api/channels/${id}/like`)).body.likes).toBe(1)
})

test('likes, views and reviews come back from the trash with their channel, and go with who gave them', async () => {
  const { id } = await channel()
  await call(one, 'POST', `/api/channels/${id}/like`)
  await call(one, 'POST', `/api/channels/${id}/reviews`, { review: 'Stays' })
  await call(owner, 'DELETE', `/api/channels/${id}`)
  const restored = (await call(owner, 'POST', `/api/channels/${id}/restore`)).body.channels[0]
  expect(restored.likes).toBe(1)
  expect((await api.call('GET', `/api/channels/${id}/reviews`)).body.data[0].review).toBe('Stays')
})

test('a view counts once a day for each who looks, by user or address, and not for the owner', async () => {
  const { id } = await channel()
  const views = async () => (await call(owner, 'GET', `/api/channels/${id}`)).body.views
  const from = (address: string) => api.call('GET', `/api/channels/${id}`, { headers: { 'x-forwarded-for': address } })
  await Promise.all([
    ...Array.from({ length: 4 }, () => from('192.0.2.1')),
    from('192.0.2.2'),
    call(one, 'GET', `/api/channels/${id}`),
  ])
  await waitFor('the views', async () => (await views()) >= 3, { timeoutMs: 5000 })
  await from('192.0.2.1')
  expect(await views()).toBe(3)
  const rows = await api.query<{ viewer: string }>('SELECT viewer FROM channel_views WHERE channel_id = $1', [id])
  expect(rows).toHaveLength(3)
  expect(JSON.stringify(rows)).not.toMatch(new RegExp(`192|${one.id}`))
  await api.query(`UPDATE channel_views SET day = day - 5 WHERE channel_id = $1`, [id])
  await emptyTrash(api.ports, 30, Date.now())
  expect(await api.query('SELECT 1 FROM channel_views WHERE channel_id = $1', [id])).toEqual([])
  expect(await views()).toBe(3)
})

test('who says several things at once has said one of them', async () => {
  const { id } = await channel()
  const said = Array.from({ length: 12 }, (_, index) => `Number ${index}`)
  const answers = await Promise.all(said.map((review) => call(one, 'POST', `/api/channels/${id}/reviews`, { review })))
  expect(answers.map(({ status }) => status)).toEqual(said.map(() => 201))
  const { body } = await api.call('GET', `/api/channels/${id}/reviews`)
  expect([body.total, said.includes(body.data[0].review)]).toEqual([1, true])
})
