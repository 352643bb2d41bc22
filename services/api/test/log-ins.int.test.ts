import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { PUBLIC_URL, testApi, type TestApi } from './test-api.ts'
import { PASSWORD, registered, session, tokenTo, totp } from './test-people.ts'

let api: TestApi

beforeAll(async () => {
  api = await testApi()
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const post = (url: string, body: object, token?: string, headers: Record<string, string> = {}) =>
  api.call('POST', url, { body, headers, ...(token !== undefined && { token }) })
const account = (token: string) => api.call('GET', '/api/account', { token })
const everything = async () => {
  const tables = ['users', 'sessions', 'logins', 'one_time_values', 'two_factors', 'api_tokens', 'outbox']
  return JSON.stringify(await Promise.all(tables.map((table) => api.query(`SELECT * FROM ${table}`))))
}

test('who registers may log in once the address is confirmed, as a listener', async () => {
  const body = { username: 'ada', name: 'Ada', email: 'Ada@radio.test', password: PASSWORD, password_confirmation: PASSWORD }
  const made = await post('/api/register', body)
  expect([made.status, made.body]).toMatchObject([201, { token: null, user: { username: 'ada', name: 'Ada', role: 'listener' } }])
  const early = await post('/api/login', { email: 'ada@radio.test', password: PASSWORD })
  expect([early.status, early.body.error]).toEqual([403, 'EMAIL_UNCONFIRMED'])

  const token = tokenTo(api, 'ada@radio.test')
  expect((await post('/api/confirm-email', { token })).status).toBe(200)
  expect((await post('/api/confirm-email', { token })).status).toBe(422) // good for one use
  const logIn = await post('/api/login', { email: 'ADA@radio.test', password: PASSWORD })
  expect([logIn.status, logIn.headers['cache-control'], logIn.headers['set-cookie']]).toEqual([200, 'no-store', undefined])
  expect((await account(logIn.body.token)).body).toMatchObject({
    username: 'ada',
    email: 'ada@radio.test',
    email_confirmed: true,
    second_factor: false,
    logs_in_by: ['password'],
  })
})

test('log-out ends this session and no other', async () => {
  const person = await registered(api)
  const [one, other] = [await session(api, person), await session(api, person)]
  expect((await post('/api/logout', {}, one)).body).toEqual({ message: 'Logged out successfully' })
  expect((await account(one)).status).toBe(401)
  expect((await account(other)).status).toBe(200)
})

test('no token, password or value of a half-way log-in stands anywhere as it is', async () => {
  const person = await registered(api)
  const token = await session(api, person)
  await post('/api/password/forgot', { email: person.email })
  const reset = tokenTo(api, person.email)
  const begun = await post('/api/account/totp', { password: PASSWORD }, token)
  const kept = await everything()
  const secret = new URL(begun.body.uri).searchParams.get('secret')!
  for (const text of [PASSWORD, token, reset, secret, ...begun.body.recovery_codes]) expect(kept).not.toContain(text)
})

test('A9: links lead to the configured address, whatever the request says of its host', async () => {
  const person = await registered(api)
  const headers = { host: 'evil.test', 'x-forwarded-host': 'evil.test', forwarded: 'host=evil.test', origin: 'http://evil.test' }
  await post('/api/password/forgot', { email: person.email }, undefined, headers)
  await post('/api/register', { username: 'hosts', email: 'hosts@radio.test', password: PASSWORD }, undefined, headers)
  const links = api.mails.slice(-2).map((mail) => (mail.kind === 'none' ? '' : mail.link))
  expect(links).toEqual([
    expect.stringMatching(`^${PUBLIC_URL}/account/reset-password#token=`),
    expect.stringMatching(`^${PUBLIC_URL}/account/confirm-email#token=`),
  ])
})

test('a new password comes by mail, ends all sessions and tokens, and its link is good for one use', async () => {
  const person = await registered(api)
  const token = await session(api, person)
  const made = (await post('/api/tokens', { name: 'program' }, token)).body
  await post('/api/password/forgot', { email: person.email })
  const first = tokenTo(api, person.email)
  await post('/api/password/forgot', { email: person.email })
  const second = tokenTo(api, person.email)
  const reset = (each: string) => post('/api/password/reset', { token: each, password: 'another one altogether' })
  const results = await Promise.all([reset(second), reset(second)])
  expect(results.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 422])
  expect((await reset(first)).status).toBe(422) // an older link is worth nothing any more
  expect([(await account(token)).status, (await account(made.token)).status]).toEqual([401, 401])
  expect((await post('/api/login', { email: person.email, password: PASSWORD })).status).toBe(401)
  await session(api, person, 'another one altogether')
  expect(api.mails.at(-1)).toMatchObject({ kind: 'password_changed', to: person.email })
})

test('links that are too old open nothing', async () => {
  const person = await registered(api)
  await post('/api/password/forgot', { email: person.email })
  await api.query(`UPDATE one_time_values SET expires_at = now() - interval '1 s'`)
  const answer = await post('/api/password/reset', { token: tokenTo(api, person.email), password: 'another one altogether' })
  expect([answer.status, answer.body.error]).toEqual([422, 'UNPROCESSABLE'])
})

test('who changes the password goes on with a new session, and the old ones are over', async () => {
  const person = await registered(api)
  const [token, other] = [await session(api, person), await session(api, person)]
  const change = (current: string) =>
    post('/api/account/password', { current_password: current, password: 'another one altogether' }, token)
  expect((await change('not this one')).status).toBe(422)
  const changed = await change(PASSWORD)
  expect(changed.status).toBe(200)
  expect([(await account(token)).status, (await account(other)).status]).toEqual([401, 401])
  expect((await account(changed.body.token)).status).toBe(200)
})

test('no answer tells whether an address is known', async () => {
  const person = await registered(api)
  const both = async (url: string, make: (email: string) => object) => {
    const answers = [await post(url, make(person.email)), await post(url, make('nobody@radio.test'))]
    return answers.map(({ status, body }) => ({ status, body: { ...body, user: body.user && Object.keys(body.user) } }))
  }
  for (const [url, make] of [
    ['/api/login', (email: string) => ({ email, password: 'not this one' })],
    ['/api/password/forgot', (email: string) => ({ email })],
    ['/api/confirm-email/resend', (email: string) => ({ email })],
    ['/api/register', (email: string) => ({ username: `u-${email[0]}`, email, password: PASSWORD })],
  ] as const) {
    const [known, unknown] = await both(url, make)
    expect({ url, ...known }).toEqual({ url, ...unknown })
  }
  // Nor does the user name that was asked for: it is taken in either case, and free again when nobody confirmed.
  const again = (name: string) => post('/api/register', { username: name, email: 'third@radio.test', password: PASSWORD })
  expect([(await again('u-p')).status, (await again('u-n')).status]).toEqual([409, 409])
  await api.query(`UPDATE users SET confirm_by = now() - interval '1 s' WHERE confirm_by IS NOT NULL`)
  await api.stores.accounts.forgetExpired(new Date())
  expect((await again('u-p')).status).toBe(201)
  expect(api.mails.filter((mail) => mail.kind === 'already_registered')).toMatchObject([{ to: person.email }])
})

test('a registration that nobody confirmed is replaced by the next with its address', async () => {
  const register = (username: string, password: string) => post('/api/register', { username, email: 'late@radio.test', password })
  await register('late-1', 'the password of another')
  const old = tokenTo(api, 'late@radio.test')
  await register('late-2', PASSWORD)
  expect((await post('/api/confirm-email', { token: old })).status).toBe(422)
  expect((await post('/api/confirm-email', { token: tokenTo(api, 'late@radio.test') })).status).toBe(200)
  expect((await post('/api/login', { email: 'late@radio.test', password: 'the password of another' })).status).toBe(401)
  expect((await post('/api/login', { email: 'late@radio.test', password: PASSWORD })).body.user.username).toBe('late-2')
})

test('A13: nobody chooses a role', async () => {
  const answer = await post('/api/register', { username: 'x', email: 'x@radio.test', password: PASSWORD, role: 'admin' })
  expect([answer.status, answer.body.message]).toEqual([400, 'role: is not a field'])
})

test.each([
  [{ password: 'short' }, /password: must have at least 10/],
  [{ password: 'weak-name-weak' }, /password: must be more than/],
  [{ password_confirmation: 'another' }, /password_confirmation: is not the same/],
  [{ email: 'no address' }, /email/],
  [{ email: 'a\r\nbcc: b@x.test' }, /email/],
  [{ name: '\u202eevil' }, /name/],
])('a bad registration is refused by the field’s name: %j', async (fields, named) => {
  const body = { username: 'weak-name', email: 'weak@radio.test', password: PASSWORD, ...fields }
  const answer = await post('/api/register', body)
  expect([answer.status, answer.body.message]).toEqual([400, expect.stringMatching(named)])
})

test('a second factor is asked for once it was confirmed, and codes are good for one log-in each', async () => {
  const person = await registered(api)
  let token = await session(api, person)
  expect((await post('/api/account/totp', { password: 'wrong' }, token)).status).toBe(422)
  const begun = await post('/api/account/totp', { password: PASSWORD }, token)
  await session(api, person) // not yet
  expect((await post('/api/account/totp/confirm', { code: '000000' }, token)).status).toBe(422)
  const confirmed = await post('/api/account/totp/confirm', { code: totp(begun.body.uri) }, token)
  expect(confirmed.status).toBe(200)
  expect((await account(token)).status).toBe(401)
  token = confirmed.body.token
  expect((await account(token)).body).toMatchObject({ second_factor: true })

  const logIn = (code?: string) => post('/api/login', { email: person.email, password: PASSWORD, ...(code && { code }) })
  expect((await logIn()).body.error).toBe('SECOND_FACTOR_NEEDED')
  expect((await logIn('000000')).body.error).toBe('UNAUTHENTICATED')
  const code = totp(begun.body.uri)
  const answers = await Promise.all([logIn(code), logIn(code)])
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401])
  expect((await logIn(code)).body.message).toMatch(/used before/)
  const [recovery] = begun.body.recovery_codes
  expect([(await logIn(recovery)).status, (await logIn(recovery)).status]).toEqual([200, 401])

  const ended = await api.call('DELETE', '/api/account/totp', { token, body: { password: PASSWORD } })
  expect(ended.status).toBe(200)
  expect((await account(ended.body.token)).body).toMatchObject({ second_factor: false })
  await session(api, person)
})

test('another address counts once it is confirmed from there, and the one before is told', async () => {
  const person = await registered(api)
  const token = await session(api, person)
  const change = (password: string) => post('/api/account/email', { email: 'New@radio.test', password }, token)
  expect((await change('wrong')).status).toBe(422)
  expect((await change(PASSWORD)).status).toBe(202)
  expect((await account(token)).body.email).toBe(person.email)
  expect(api.mails.at(-1)).toMatchObject({
    kind: 'email_to_change',
    to: person.email,
    link: expect.not.stringContaining('token'),
  })
  await post('/api/password/forgot', { email: person.email })
  const oldLink = tokenTo(api, person.email)

  expect((await post('/api/confirm-email', { token: tokenTo(api, 'new@radio.test') })).status).toBe(200)
  expect((await account(token)).body).toMatchObject({ email: 'new@radio.test', email_confirmed: true })
  expect(api.mails.at(-1)).toMatchObject({ kind: 'email_changed', to: person.email })
  const logIn = async (email: string) => (await post('/api/login', { email, password: PASSWORD })).status
  expect([await logIn(person.email), await logIn('new@radio.test')]).toEqual([401, 200])
  // What was sent to the address before opens nothing any more.
  expect((await post('/api/password/reset', { token: oldLink, password: PASSWORD })).status).toBe(422)
})

test('a link to another address ends with the password that asked for it, and tells of no address whether it is known', async () => {
  const [person, other] = [await registered(api), await registered(api)]
  const token = await session(api, person)
  const change = (email: string) => post('/api/account/email', { email, password: PASSWORD }, token)
  const [unknown, known] = [await change('thief@radio.test'), await change(other.email)]
  expect([known.status, known.body]).toEqual([unknown.status, unknown.body])
  expect(api.mails.findLast((mail) => mail.kind !== 'none' && mail.to === other.email)!.kind).toBe('already_registered')
  const stolen = tokenTo(api, 'thief@radio.test')
  await post('/api/password/forgot', { email: person.email })
  await post('/api/password/reset', { token: tokenTo(api, person.email), password: 'another good one' })
  expect((await post('/api/confirm-email', { token: stolen })).status).toBe(422)
  expect((await post('/api/login', { email: person.email, password: 'another good one' })).status).toBe(200)
})

test('of two who ask for the same address, the one who proves it gets it; a registration that nobody confirmed makes way', async () => {
  const [one, two] = [await registered(api), await registered(api)]
  await post('/api/register', { username: 'squatter', email: 'shared@radio.test', password: PASSWORD })
  const links: string[] = []
  for (const person of [one, two]) {
    await post('/api/account/email', { email: 'shared@radio.test', password: PASSWORD }, await session(api, person))
    links.push(tokenTo(api, 'shared@radio.test'))
  }
  const confirm = async (token: string) => (await post('/api/confirm-email', { token })).status
  expect([await confirm(links[1]!), await confirm(links[0]!), await confirm(links[1]!)]).toEqual([200, 422, 422])
  expect((await api.stores.accounts.findAccountByEmail('shared@radio.test'))!.id).toBe(two.id)
})
