import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { testApi, type TestApi } from './test-api.ts'

let api: TestApi
let admin: string

beforeAll(async () => {
  api = await testApi()
  admin = (await api.user('admin')).token
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const list = async (token: string, query = '') => (await api.call('GET', `/api/tokens${query}`, { token })).body

test('an admin makes a user and a token, and the user works with it', async () => {
  const user = await api.call('POST', '/api/users', { token: admin, body: { username: 'nina', role: 'dj' } })
  expect([user.status, user.body]).toMatchObject([201, { username: 'nina', role: 'dj' }])
  const body = { name: 'studio', user_id: user.body.id, expires_in_days: 30 }
  const made = await api.call('POST', '/api/tokens', { token: admin, body })
  expect(made.status).toBe(201)
  expect(made.headers['cache-control']).toBe('no-store')
  const daysLeft = (Date.parse(made.body.expires_at) - Date.now()) / 86_400_000
  expect(daysLeft).toBeGreaterThan(29.9)
  expect((await api.call('POST', '/api/channels', { token: made.body.token, body: { name: 'Nina' } })).status).toBe(201)
})

test('a token is shown once, and its last use is told', async () => {
  const { token } = await api.user('listener')
  const made = (await api.call('POST', '/api/tokens', { token, body: { name: 'phone' } })).body
  expect(made.token).toMatch(/^sk_[A-Za-z0-9_-]{43}$/)
  expect(made.last_used_at).toBeNull()
  const answer = await api.call('GET', '/api/tokens', { token: made.token })
  expect(answer.text).not.toContain(made.token)
  expect(answer.text).not.toContain('hash')
  expect(answer.body.data[0]).toMatchObject({ id: made.id, name: 'phone', last_used_at: expect.any(String) })
})

test('a token that was revoked, has expired, or is revoked twice opens nothing', async () => {
  const { token } = await api.user('listener')
  const made = (await api.call('POST', '/api/tokens', { token, body: { name: 'old phone', expires_in_days: 1 } })).body
  for (const _ of [1, 2]) expect((await api.call('DELETE', `/api/tokens/${made.id}`, { token })).status).toBe(204)
  expect((await api.call('GET', '/api/tokens', { token: made.token })).status).toBe(401)
  expect((await list(token)).data[0].revoked_at).toEqual(expect.any(String))

  const other = (await api.call('POST', '/api/tokens', { token, body: { name: 'short', expires_in_days: 1 } })).body
  await api.query(`UPDATE api_tokens SET expires_at = now() - interval '1 ms' WHERE id = $1`, [other.id])
  expect((await api.call('GET', '/api/tokens', { token: other.token })).status).toBe(401)
})

test('A7: one sees only one’s own tokens, an admin everybody’s', async () => {
  const one = await api.user('dj')
  const two = await api.user('dj')
  expect((await list(one.token)).data).toMatchObject([{ user_id: one.user.id }])
  expect((await list(two.token)).data).toMatchObject([{ user_id: two.user.id }])
  expect((await list(admin, '?per_page=1')).total).toBeGreaterThan(2)
})

test('A13: nobody makes a token for another, but an admin', async () => {
  const { user } = await api.user('admin')
  const { token } = await api.user('dj')
  const answer = await api.call('POST', '/api/tokens', { token, body: { name: 'x', user_id: user.id } })
  expect([answer.status, answer.body.error]).toEqual([403, 'FORBIDDEN'])
  const unknown = { name: 'x', user_id: '00000000-0000-7000-8000-000000000000' }
  expect((await api.call('POST', '/api/tokens', { token: admin, body: unknown })).status).toBe(404)
})

test('A16: a role that was taken away is gone with the next request, and the only administrator stays one', async () => {
  const dj = await api.user('dj')
  const change = (id: string, role: string) => api.call('PATCH', `/api/users/${id}`, { token: admin, body: { role } })
  expect((await change(dj.user.id, 'listener')).body.role).toBe('listener')
  expect((await api.call('POST', '/api/channels', { token: dj.token, body: { name: 'x' } })).status).toBe(403)
  expect((await change('nobody', 'dj')).status).toBe(404)

  const administrators = (await api.call('GET', '/api/users?per_page=100', { token: admin })).body.data.filter(
    ({ role }: { role: string }) => role === 'admin',
  )
  const results = await Promise.all(administrators.map(({ id }: { id: string }) => change(id, 'dj')))
  const left = await api.query<{ count: number }>(`SELECT count(*)::int FROM users WHERE role = 'admin'`)
  expect(left).toEqual([{ count: 1 }])
  expect(results.filter(({ status }) => status === 200).length).toBe(administrators.length - 1)
  await api.query(`UPDATE users SET role = 'admin' WHERE id = ANY($1)`, [administrators.map(({ id }: { id: string }) => id)])
})

test('a user has a limited number of tokens that work', async () => {
  const { user, token } = await api.user('dj')
  await api.query(
    `INSERT INTO api_tokens (id, user_id, name, token_hash) SELECT gen_random_uuid(), $1, 'x', gen_random_uuid() FROM generate_series(1, 99)`,
    [user.id],
  )
  expect((await api.call('POST', '/api/tokens', { token, body: { name: 'one too many' } })).status).toBe(409)
})

test.each([
  [{ username: '' }, /username/],
  [{ username: 'Nina' }, /username/],
  [{ username: 'a b' }, /username/],
  [{ username: '#{x}' }, /username/],
  [{ username: 'x'.repeat(65) }, /username/],
  [{ username: 'ok', role: 'root' }, /role/],
  [{ username: 'ok', is_admin: true }, /is_admin/],
])('a bad user is refused by the field’s name: %j', async (body, named) => {
  const { status, body: answer } = await api.call('POST', '/api/users', { token: admin, body })
  expect([status, answer.error]).toEqual([400, 'BAD_REQUEST'])
  expect(answer.message).toMatch(named)
})

test('a user name is taken once', async () => {
  const make = () => api.call('POST', '/api/users', { token: admin, body: { username: 'twice' } })
  expect((await make()).status).toBe(201)
  expect((await make()).status).toBe(409)
})

test('users are searched as text, and sorted', async () => {
  for (const username of ['zoe_1', 'zoex1', 'zoea1']) await api.stores.accounts.createUser({ username, role: 'dj' })
  const names = async (query: string) =>
    (await api.call('GET', `/api/users?${query}`, { token: admin })).body.data.map(
      ({ username }: { username: string }) => username,
    )
  expect(await names('search=zoe&sort=username&order=asc')).toEqual(['zoe_1', 'zoea1', 'zoex1'])
  expect(await names('search=ZOE_1')).toEqual(['zoe_1'])
  expect(await names('search=%25')).toEqual([])
  expect((await api.call('GET', '/api/users?sort=token_hash', { token: admin })).status).toBe(400)
})

test('whom an admin makes with an address is invited, and logs in once they have set a password', async () => {
  const admin = await api.user('admin')
  const invite = (username: string) =>
    api.call('POST', '/api/users', {
      token: admin.token,
      body: { username, role: 'dj', name: 'Grace', email: 'Grace@radio.test' },
    })
  const made = await invite('grace')
  expect([made.status, made.body]).toMatchObject([201, { username: 'grace', name: 'Grace', role: 'dj' }])
  expect(made.text).not.toContain('radio.test')
  const refused = await invite('grace-2')
  expect([refused.status, refused.body.message]).toEqual([409, expect.stringContaining('address')])
  const mail = api.mails.at(-1)!
  expect(mail).toMatchObject({ kind: 'invitation', to: 'Grace@radio.test' })
  // Nobody takes the place by registering, nor by confirming an address alone.
  const registration = { username: 'grace-3', email: 'grace@radio.test', password: 'a good long password' }
  expect((await api.call('POST', '/api/register', { body: registration })).status).toBe(201)
  const token = mail.kind === 'none' ? '' : mail.link.split('#token=')[1]
  const set = () => api.call('POST', '/api/password/reset', { body: { token, password: 'a good long password' } })
  expect([(await set()).status, (await set()).status]).toEqual([200, 422])
  const body = { email: 'grace@radio.test', password: 'a good long password' }
  expect((await api.call('POST', '/api/login', { body })).body.user).toMatchObject({ username: 'grace', role: 'dj' })
})
