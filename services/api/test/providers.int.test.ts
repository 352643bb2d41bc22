import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { PUBLIC_URL, testApi, type Answer, type TestApi } from './test-api.ts'
import { CLIENT, testOpenId, type TestOpenId } from './test-openid.ts'
import { PASSWORD, registered, session, tokenTo, totp } from './test-people.ts'

let api: TestApi
let openId: TestOpenId

beforeAll(async () => {
  openId = await testOpenId(`${PUBLIC_URL}/api/auth/openid/callback`)
  const google = { clientId: 'of google', clientSecret: 'x' }
  const facebook = { clientId: 'of facebook', clientSecret: 'x' }
  const openid = { issuer: openId.issuer, name: 'Test', ...CLIENT }
  api = await testApi({}, undefined, { providers: { google, facebook, openid } })
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await openId[Symbol.asyncDispose]()
})

const cookiesOf = (answer: Answer) =>
  ([answer.headers['set-cookie'] ?? []].flat() as string[]).map((each) => each.split(';')[0]).join('; ')

/** What a browser does: it begins here, goes to the provider, comes back. */
async function logIn(
  kind = 'token',
  change: (back: URL, cookie: string) => { url: string; cookie: string } = same,
): Promise<Answer> {
  const begun = await api.call('GET', `/api/auth/openid?session=${kind}`)
  expect(begun.status).toBe(302)
  const back = await openId.walk(String(begun.headers['location']))
  expect(`${back.origin}${back.pathname}`).toBe(`${PUBLIC_URL}/api/auth/openid/callback`)
  const { url, cookie } = change(back, cookiesOf(begun))
  return api.call('GET', url, { headers: { cookie } })
}
const same = (back: URL, cookie: string) => ({ url: back.pathname + back.search, cookie })
const account = async (token: string) => (await api.call('GET', '/api/account', { token })).body

test('the providers that the operator named are listed, and no other can be asked', async () => {
  expect((await api.call('GET', '/api/auth/providers')).body.data).toEqual([
    { id: 'google', name: 'Google', url: `${PUBLIC_URL}/api/auth/google` },
    { id: 'facebook', name: 'Facebook', url: `${PUBLIC_URL}/api/auth/facebook` },
    { id: 'openid', name: 'Test', url: `${PUBLIC_URL}/api/auth/openid` },
  ])
  for (const path of ['/api/auth/github', '/api/auth/github/callback', '/api/auth/credential', '/api/auth/__proto__'])
    expect((await api.call('GET', path)).status).toBe(404)
})

test.each(['google', 'facebook', 'openid'])('%s is asked with a state, PKCE, and to lead back here', async (provider) => {
  const { headers } = await api.call('GET', `/api/auth/${provider}`, { headers: { host: 'evil.test' } })
  const { searchParams } = new URL(String(headers['location']))
  expect(searchParams.get('redirect_uri')).toBe(`${PUBLIC_URL}/api/auth/${provider}/callback`)
  expect(searchParams.get('state')).toMatch(/.{32}/)
  if (provider !== 'facebook') expect(searchParams.get('code_challenge_method')).toBe('S256')
  expect(String(headers['set-cookie'])).toMatch(/HttpOnly.*SameSite=Lax/)
})

test('who comes for the first time becomes a listener, and is the same the next time', async () => {
  openId.person = { sub: 'nina', email: 'Nina@radio.test', email_verified: true, name: 'Nina' }
  const first = await logIn()
  expect([first.status, first.body.user]).toMatchObject([200, { role: 'listener', name: 'Nina' }])
  expect(await account(first.body.token)).toMatchObject({
    email: 'nina@radio.test',
    email_confirmed: true,
    logs_in_by: ['openid'],
  })
  openId.person = { ...openId.person, email: 'moved@radio.test' }
  expect((await logIn()).body.user.id).toBe(first.body.user.id)
  const logins = await api.query('SELECT * FROM logins')
  expect(JSON.stringify(logins)).not.toMatch(/eyJ|access/) // no token of the provider is kept
})

test('a browser that wants a cookie is led to the start with one', async () => {
  const answer = await logIn('cookie')
  expect([answer.status, answer.headers['location']]).toEqual([303, `${PUBLIC_URL}/`])
  const cookie = cookiesOf(answer)
  expect(cookie).toMatch(/^skipcast_session=/)
  expect((await api.call('GET', '/api/account', { headers: { cookie } })).status).toBe(200)
})

test('an account is linked by an address that both sides have verified', async () => {
  const person = await registered(api)
  openId.person = { sub: 'linked', email: person.email, email_verified: true }
  const answer = await logIn()
  expect(answer.body.user.id).toBe(person.id)
  expect((await account(answer.body.token)).logs_in_by).toEqual(['openid', 'password'])
})

test('an address that the provider does not vouch for links nobody, and lets nobody in', async () => {
  const person = await registered(api)
  openId.person = { sub: 'thief', email: person.email, email_verified: false }
  const stolen = await logIn()
  expect([stolen.status, stolen.body.error]).toEqual([422, 'UNPROCESSABLE'])
  openId.person = { sub: 'unsure', email: 'unsure@radio.test', email_verified: false }
  expect((await logIn()).status).toBe(422)
  await api.call('POST', '/api/confirm-email', { body: { token: tokenTo(api, 'unsure@radio.test') } })
  expect((await logIn()).status).toBe(200)
})

test('a registration that nobody confirmed gives way to who has the address: its password may be another’s', async () => {
  await api.call('POST', '/api/register', { body: { username: 'early', email: 'early@radio.test', password: PASSWORD } })
  openId.person = { sub: 'early', email: 'early@radio.test', email_verified: true }
  const answer = await logIn()
  expect([answer.status, answer.body.user.username]).toEqual([200, expect.not.stringMatching(/^early$/)])
  expect((await account(answer.body.token)).logs_in_by).toEqual(['openid'])
  const planted = await api.call('POST', '/api/login', { body: { email: 'early@radio.test', password: PASSWORD } })
  expect(planted.status).toBe(401)
  const opened = await api.call('POST', '/api/confirm-email', { body: { token: tokenTo(api, 'early@radio.test') } })
  expect(opened.status).toBe(422)
})

test('A14: what comes back without the cookie of the beginning, with another state, or twice, opens nothing', async () => {
  openId.person = { sub: 'nina', email: 'nina@radio.test', email_verified: true }
  expect((await logIn('token', (back) => same(back, ''))).status).toBe(422)
  const other = await api.call('GET', '/api/auth/openid')
  expect((await logIn('token', (back) => same(back, cookiesOf(other)))).status).toBe(422)
  let used = { url: '', cookie: '' }
  expect((await logIn('token', (back, cookie) => (used = same(back, cookie)))).status).toBe(200)
  expect((await api.call('GET', used.url, { headers: { cookie: used.cookie } })).status).toBe(422)
  expect((await api.call('GET', '/api/auth/openid/callback')).status).toBe(422)
  expect((await api.call('GET', '/api/auth/openid/callback?error=access_denied&state=x')).status).toBe(422)
})

test('who has a second factor does not get past it by a provider', async () => {
  const person = await registered(api)
  const token = await session(api, person)
  const { uri } = (await api.call('POST', '/api/account/totp', { token, body: { password: PASSWORD } })).body
  await api.call('POST', '/api/account/totp/confirm', { token, body: { code: totp(uri) } })
  openId.person = { sub: 'careful', email: person.email, email_verified: true }
  const answer = await logIn()
  expect([answer.status, answer.body.message]).toEqual([422, expect.stringMatching(/second factor/)])
  expect(await api.query('SELECT 1 FROM sessions WHERE user_id = $1', [person.id])).toHaveLength(1)
})

test('where nobody may register, no provider makes a user', async () => {
  await using closed = await testApi({}, undefined, {
    newcomers: { areWelcome: false, role: 'listener' },
    providers: { openid: { issuer: openId.issuer, name: 'Test', ...CLIENT } },
  })
  const body = { username: 'x', email: 'x@radio.test', password: PASSWORD }
  expect((await closed.call('POST', '/api/register', { body })).status).toBe(403)
  openId.person = { sub: 'newcomer', email: 'newcomer@radio.test', email_verified: true }
  const begun = await closed.call('GET', '/api/auth/openid')
  const back = await openId.walk(String(begun.headers['location']))
  const answer = await closed.call('GET', back.pathname + back.search, { headers: { cookie: cookiesOf(begun) } })
  expect([answer.status, answer.body.message]).toEqual([422, expect.stringMatching(/Nobody can register/)])
}, 60_000)

test('a provider that does not answer is told as such, and asked again the next time', async () => {
  const issuer = 'http://127.0.0.1:1'
  await using lonely = await testApi({}, undefined, { providers: { openid: { issuer, name: 'Away', ...CLIENT } } })
  const answer = await lonely.call('GET', '/api/auth/openid')
  expect([answer.status, answer.body.error]).toEqual([503, 'PROVIDER_UNAVAILABLE'])
}, 60_000)
