import { silentLogger } from '@skipcast/runtime'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { keepAccounts } from '../src/end-account.ts'
import { musicRecord, PUBLIC_URL, testApi, type TestApi } from './test-api.ts'
import { PASSWORD, registered, session, tokenTo } from './test-people.ts'

let api: TestApi

beforeAll(async () => {
  api = await testApi()
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const own = { origin: PUBLIC_URL }
const logIn = (email: string, headers: Record<string, string> = own) =>
  api.call('POST', '/api/login', { body: { email, password: PASSWORD, session: 'cookie' }, headers })
const cookieOf = (answer: { headers: Record<string, unknown> }) => String(answer.headers['set-cookie']).split(';')[0]!

test('A14: a browser’s session is in a cookie that no script and no other site can use, and its token is told nowhere', async () => {
  const person = await registered(api)
  const answer = await logIn(person.email)
  expect([answer.status, answer.body.token]).toEqual([200, null])
  expect(String(answer.headers['set-cookie'])).toMatch(
    /^skipcast_session=[A-Za-z0-9]{32}; Path=\/; HttpOnly; SameSite=Lax; Expires=[^;]+GMT$/,
  )
  const cookie = cookieOf(answer)
  expect(answer.text).not.toContain(cookie.split('=')[1])
  expect((await api.call('GET', '/api/account', { headers: { cookie: `theme=dark; ${cookie}` } })).body.email).toBe(person.email)
})

test('A14: behind TLS the cookie goes over TLS alone, from this very host', async () => {
  await using secure = await testApi({ publicUrl: 'https://radio.test' }, undefined, { publicUrl: 'https://radio.test' })
  const { email } = await registered(secure)
  const body = { email, password: PASSWORD, session: 'cookie' }
  const answer = await secure.call('POST', '/api/login', { body, headers: { origin: 'https://radio.test' } })
  expect(String(answer.headers['set-cookie'])).toMatch(
    /^__Host-skipcast_session=.+; Path=\/; HttpOnly; SameSite=Lax; .+; Secure$/,
  )
  expect((await secure.call('GET', '/api/account', { headers: { cookie: cookieOf(answer) } })).status).toBe(200)
  // Another host of the domain can plant a cookie of any other name.
  const planted = cookieOf(answer).replace('__Host-', '')
  expect((await secure.call('GET', '/api/account', { headers: { cookie: planted } })).status).toBe(401)
}, 60_000)

test('A14: a log-in begins a new session, whatever the request brought along', async () => {
  const [one, other] = [await registered(api), await registered(api)]
  const planted = cookieOf(await logIn(one.email))
  const fresh = cookieOf(await logIn(other.email, { ...own, cookie: planted }))
  expect(fresh).not.toBe(planted)
  const named = async (cookie: string) => (await api.call('GET', '/api/account', { headers: { cookie } })).body.email
  expect([await named(planted), await named(fresh)]).toEqual([one.email, other.email])
  const forged = `skipcast_session=${'A'.repeat(32)}`
  expect(cookieOf(await logIn(other.email, { ...own, cookie: forged }))).not.toBe(forged)
})

test('A14: with a cookie, only a page of ours may change something', async () => {
  const person = await registered(api)
  const cookie = cookieOf(await logIn(person.email))
  const rename = (headers: Record<string, string>) =>
    api.call('PATCH', '/api/account', { body: { name: 'Renamed' }, headers: { cookie, ...headers } })
  const asked: Record<string, string>[] = [
    {},
    { origin: 'http://evil.test' },
    { origin: 'null' },
    { origin: `${PUBLIC_URL}.evil.test` },
    { origin: 'http://evil.test', 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { referer: `${PUBLIC_URL}/` },
    own,
    { 'sec-fetch-site': 'same-origin' },
  ]
  const statuses = await Promise.all(asked.map(async (headers) => (await rename(headers)).status))
  expect(statuses).toEqual([403, 403, 403, 403, 403, 403, 403, 403, 200, 200])
  expect((await logIn(person.email, { origin: 'http://evil.test' })).status).toBe(403) // nor log somebody in
  const token = await session(api, person)
  expect((await api.call('PATCH', '/api/account', { token, body: { name: '' }, headers: { cookie } })).status).toBe(200)
})

test('A14: log-out ends the session behind the cookie, and takes the cookie away', async () => {
  const person = await registered(api)
  const cookie = cookieOf(await logIn(person.email))
  const answer = await api.call('POST', '/api/logout', { headers: { cookie, ...own } })
  expect(String(answer.headers['set-cookie'])).toMatch(/^skipcast_session=; .+Expires=Thu, 01 Jan 1970/)
  expect((await api.call('GET', '/api/account', { headers: { cookie } })).status).toBe(401)
})

test('A14: no page of others may read an answer, and the pages of the links run no script but ours', async () => {
  const { headers } = await api.call('GET', '/api/account', { headers: { origin: 'http://evil.test' } })
  expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  for (const page of ['confirm-email', 'reset-password']) {
    const answer = await api.call('GET', `/account/${page}`)
    expect(String(answer.headers['content-security-policy'])).toMatch(
      /default-src 'none'.+script-src 'sha256-.+frame-ancestors 'none'/,
    )
    expect(answer.headers['referrer-policy']).toBe('no-referrer')
  }
})

test('a session that has expired opens nothing', async () => {
  const person = await registered(api)
  const token = await session(api, person)
  await api.query(`UPDATE sessions SET expires_at = now() - interval '1 ms'`)
  await api.stores.accounts.rename(person.id, 'Renamed') // what proved valid a moment ago is looked up again
  expect((await api.call('GET', '/api/account', { token })).status).toBe(401)
})

test('A10: forged addresses give no more tries, neither on one account nor on many', async () => {
  await using limited = await testApi({ triesPerAddress: 20, triesPerAccount: 5 })
  const person = await registered(limited)
  const tries = async (count: number, email: (turn: number) => string) => {
    const found: number[] = []
    for (let turn = 0; turn < count; turn++) {
      const address = `10.0.${turn}.1`
      const headers = { 'x-forwarded-for': address, 'x-real-ip': address, forwarded: `for=${address}` }
      const body = { email: email(turn), password: 'wrong' }
      found.push((await limited.call('POST', '/api/login', { body, headers })).status)
    }
    return found
  }
  // One account, whatever the case it is written in; then many. Registering and confirming were two tries of this address.
  expect(await tries(10, (turn) => (turn % 2 ? person.email : person.email.toUpperCase()))).toEqual([
    ...Array(5).fill(401),
    ...Array(5).fill(429),
  ])
  const many = await tries(200, (turn) => `nobody-${turn}@radio.test`)
  expect(many).toEqual([...Array(8).fill(401), ...Array(192).fill(429)])
  const refused = await limited.call('POST', '/api/password/forgot', { body: { email: person.email } })
  expect([refused.status, Number(refused.headers['retry-after']) > 0]).toEqual([429, true])
}, 60_000)

test('A10: one account is not tried out from many addresses behind a proxy either', async () => {
  await using limited = await testApi({ triesPerAddress: 3, triesPerAccount: 5, trustedProxies: ['127.0.0.0/8'] })
  const found: number[] = []
  for (let turn = 0; turn < 8; turn++) {
    const headers = { 'x-forwarded-for': `10.0.${turn}.1` }
    const body = { email: 'one@radio.test', password: 'wrong' }
    found.push((await limited.call('POST', '/api/login', { body, headers })).status)
  }
  expect(found).toEqual([401, 401, 401, 401, 401, 429, 429, 429])
}, 60_000)

test('A16: an account that is deleted is over: sessions, tokens, streams; its address is free, its name is not', async () => {
  const person = await registered(api)
  await api.query(`UPDATE users SET role = 'dj' WHERE id = $1`, [person.id])
  const token = await session(api, person)
  const program = (await api.call('POST', '/api/tokens', { token, body: { name: 'program' } })).body.token
  const { channel } = (await api.call('POST', '/api/channels', { token, body: { name: 'Mine' } })).body
  const media = await api.stores.media.add(musicRecord(person.id))
  await api.call('POST', `/api/channels/${channel.id}/media`, { token, body: { media_ids: [media.id] } })
  expect((await api.call('POST', `/api/channels/${channel.id}/stream/start`, { token })).status).toBe(202)

  await api.call('POST', '/api/password/forgot', { body: { email: person.email } })
  const link = { token: tokenTo(api, person.email), password: PASSWORD }

  const end = (body: object, by = token) => api.call('DELETE', '/api/account', { token: by, body })
  expect([(await end({})).status, (await end({ password: 'wrong' })).status]).toEqual([400, 422])
  expect((await end({ password: PASSWORD }, program)).status).toBe(403) // no token for programs can do it
  expect((await end({ password: PASSWORD })).status).toBe(204)
  for (const each of [token, program]) expect((await api.call('GET', '/api/account', { token: each })).status).toBe(401)
  expect(await api.stores.channels.find(channel.id)).toBeNull()
  expect(await api.stores.channelTrash.find(channel.id)).toMatchObject({ wanted: 'off' })
  expect(await api.stores.mediaTrash.find(media.id)).not.toBeNull()
  // Nobody gets them back: they would belong to nobody.
  expect(await api.stores.mediaTrash.restore([media.id], null)).toEqual([])
  const admin = await api.user('admin')
  const restored = await api.call('POST', `/api/channels/${channel.id}/restore`, { token: admin.token })
  await api.query(`UPDATE users SET role = 'listener' WHERE id = $1`, [admin.user.id])
  expect([restored.status, restored.body.message]).toEqual([409, expect.stringContaining('deleted')])
  const commands = await api.query<{ payload: { event: string } }>(`SELECT payload FROM outbox WHERE key = $1 ORDER BY id`, [
    channel.id,
  ])
  expect(commands.map(({ payload }) => payload.event)).toEqual(['start_stream', 'stop_stream'])
  expect((await api.call('POST', '/api/login', { body: { email: person.email, password: PASSWORD } })).status).toBe(401)

  expect((await api.call('POST', '/api/password/reset', { body: link })).status).toBe(422)

  const again = (username: string) =>
    api.call('POST', '/api/register', { body: { username, email: person.email, password: PASSWORD } })
  expect([(await again(person.username)).status, (await again('another-name')).status]).toEqual([409, 201])
})

test('A16: what was started in the moment of the deletion is stopped and put into the trash by the leader', async () => {
  const { user } = await api.user('dj')
  const ownerId = user.id
  const fields = { name: 'x', slug: 'orphan', description: '', mode: 'copy', bitrateKbps: 128 } as const
  const channel = await api.stores.channels.create({ ownerId, ...fields })
  const media = await api.stores.media.add(musicRecord(ownerId))
  await api.stores.playlists.attach(channel.id, [media.id], { ownerId: null })
  await api.stores.accounts.deleteUser(ownerId)
  await api.stores.channels.change(channel.id, () => ({ wanted: 'on' }))
  await keepAccounts({ ...api.ports, logger: silentLogger() }, new Date())
  expect(await api.stores.channelTrash.find(channel.id)).toMatchObject({ wanted: 'off' })
})

test('an admin deletes a user; the only administrator stays', async () => {
  const admin = await api.user('admin')
  const dj = await api.user('dj')
  const end = (id: string) => api.call('DELETE', `/api/users/${id}`, { token: admin.token })
  expect([(await end(dj.user.id)).status, (await end(dj.user.id)).status]).toEqual([204, 404])
  expect((await api.call('GET', '/api/media', { token: dj.token })).status).toBe(401)
  expect((await end(admin.user.id)).status).toBe(409)
})

test('A13: a token with scopes makes nobody of a role that may do more', async () => {
  const admin = await api.user('admin')
  const { token } = await api.stores.accounts
    .createToken(admin.user.id, 'narrow', { scopes: ['users:create', 'users:change'] })
    .then(({ secret }) => ({ token: secret }))
  const make = (username: string, role: string) => api.call('POST', '/api/users', { token, body: { username, role } })
  expect([(await make('narrow-admin', 'admin')).status, (await make('narrow-dj', 'dj')).status]).toEqual([403, 403])
  const made = await make('narrow-listener', 'listener')
  const raised = await api.call('PATCH', `/api/users/${made.body.id}`, { token, body: { role: 'admin' } })
  expect([made.status, raised.status]).toEqual([201, 403])
})

test('A13: a token is good for its scopes alone, and hands on no more', async () => {
  const { token } = await api.user('dj')
  const make = (by: string, scopes?: string[]) =>
    api.call('POST', '/api/tokens', { token: by, body: { name: 'scoped', ...(scopes && { scopes }) } })
  const scoped = (await make(token, ['media:read', 'tokens:create'])).body
  expect(scoped.scopes).toEqual(['media:read', 'tokens:create'])
  const ask = async (method: string, url: string, by = scoped.token) => (await api.call(method, url, { token: by })).status
  expect([await ask('GET', '/api/media'), await ask('GET', '/api/tokens'), await ask('GET', '/api/account')]).toEqual([
    200, 403, 403,
  ])
  expect((await api.call('POST', '/api/channels', { token: scoped.token, body: { name: 'x' } })).status).toBe(403)
  expect((await make(scoped.token, ['media:read', 'channels:create'])).status).toBe(403)
  expect((await make(scoped.token)).body.scopes).toEqual(scoped.scopes)
  expect((await make(token, ['everything'])).status).toBe(400)
  expect(await ask('POST', '/api/logout')).toBe(200) // each can end itself
  expect(await ask('GET', '/api/media')).toBe(401)
})

test('A16: people see their sessions, end one of them, and log out everywhere', async () => {
  const [person, other] = [await registered(api), await registered(api)]
  const [kept, lost] = [await session(api, person), await session(api, person)]
  const foreign = await session(api, other)
  const list = async (token: string) => (await api.call('GET', '/api/account/sessions', { token })).body.data
  const seen = await list(kept)
  expect(seen.map(({ is_current: isCurrent }: { is_current: boolean }) => isCurrent)).toEqual([false, true])
  expect(Object.keys(seen[0])).toEqual(['id', 'created_at', 'expires_at', 'is_current'])

  const end = async (path: string, token: string) => (await api.call('DELETE', `/api/account/sessions${path}`, { token })).status
  const { id } = seen[0]
  expect([await end(`/${id}`, foreign), await end(`/${id}`, kept), await end(`/${id}`, kept)]).toEqual([404, 204, 404])
  const status = async (token: string) => (await api.call('GET', '/api/account', { token })).status
  expect([await status(lost), await status(kept), await status(foreign)]).toEqual([401, 200, 200])

  const program = (await api.call('POST', '/api/tokens', { token: kept, body: { name: 'program' } })).body.token
  expect([await end('', program), await end('', kept)]).toEqual([403, 204])
  expect([await status(kept), await status(program), await status(foreign)]).toEqual([401, 200, 200])
})
