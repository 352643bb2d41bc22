import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Access } from '../src/http/access.ts'
import { musicRecord, testApi, type TestApi } from './test-api.ts'

/** Who asks, in the words of the matrix. */
const people = ['nobody', 'forger', 'listener', 'stranger', 'owner', 'admin'] as const
type Person = (typeof people)[number]

/**
 * What each kind of access lets through, written down here a second time on purpose: 401 and 403 are refusals, 404 hides what is
 * another's, and `ok` is anything that got past the door.
 */
const expected: Record<Access, readonly [...(401 | 403 | 404 | 'ok')[]]> = {
  //                  nobody forger listener stranger owner admin
  public: ['ok', 'ok', 'ok', 'ok', 'ok', 'ok'],
  'channels:create': [401, 401, 403, 'ok', 'ok', 'ok'],
  'channels:change': [401, 401, 403, 403, 'ok', 'ok'],
  'channels:delete': [401, 401, 403, 403, 'ok', 'ok'],
  'streams:control': [401, 401, 403, 403, 'ok', 'ok'],
  'streams:measure': [401, 401, 403, 403, 'ok', 'ok'],
  'playlists:read': [401, 401, 403, 403, 'ok', 'ok'],
  'playlists:change': [401, 401, 403, 403, 'ok', 'ok'],
  'placement:read': [401, 401, 403, 403, 'ok', 'ok'],
  'placement:change': [401, 401, 403, 403, 'ok', 'ok'],
  'media:create': [401, 401, 403, 'ok', 'ok', 'ok'],
  // A list holds one's own; a piece of another's does not exist.
  'media:read': [401, 401, 404, 404, 'ok', 'ok'],
  'media:change': [401, 401, 404, 404, 'ok', 'ok'],
  'media:delete': [401, 401, 404, 404, 'ok', 'ok'],
  'servers:read': [401, 401, 403, 403, 403, 'ok'],
  'servers:drain': [401, 401, 403, 403, 403, 'ok'],
  'users:read': [401, 401, 403, 403, 403, 'ok'],
  'users:create': [401, 401, 403, 403, 403, 'ok'],
  'users:change': [401, 401, 403, 403, 403, 'ok'],
  'users:delete': [401, 401, 403, 403, 403, 'ok'],
  'tokens:read': [401, 401, 'ok', 'ok', 'ok', 'ok'],
  'tokens:create': [401, 401, 'ok', 'ok', 'ok', 'ok'],
  'tokens:revoke': [401, 401, 404, 404, 'ok', 'ok'],
  'account:read': [401, 401, 'ok', 'ok', 'ok', 'ok'],
  // No token for programs can do these.
  'account:change': [401, 401, 403, 403, 403, 403],
  'account:delete': [401, 401, 403, 403, 403, 403],
  'session:end': [401, 401, 'ok', 'ok', 'ok', 'ok'],
  'metrics:read': [401, 401, 'ok', 'ok', 'ok', 'ok'],
}

/** What names nothing of anybody's is for all who may do it at all. */
const WITHOUT_OWNER: Record<string, (401 | 403 | 404 | 'ok')[]> = { 'GET /api/media': [401, 401, 'ok', 'ok', 'ok', 'ok'] }

/** Every route of ours. A route that is not here fails the first test: somebody must say who may call it. */
const routes: Record<string, Access> = {
  'GET /api/channels': 'public',
  'POST /api/channels': 'channels:create',
  'GET /api/channels/:channel': 'public',
  'PUT /api/channels/:channel': 'channels:change',
  'DELETE /api/channels/:channel': 'channels:delete',
  'POST /api/channels/:channel/stream/start': 'streams:control',
  'POST /api/channels/:channel/stream/stop': 'streams:control',
  'PUT /api/channels/:channel/state': 'streams:control',
  'GET /api/channels/:channel/stream/status': 'public',
  'GET /api/channels/:channel/stream-url': 'public',
  'GET /api/events': 'public',
  'GET /api/channels/:channel/events': 'public',
  'GET /api/channels/:channel/track-plays': 'public',
  'GET /api/channels/:channel/metrics': 'streams:measure',
  'GET /api/channels/:channel/media': 'playlists:read',
  'POST /api/channels/:channel/media': 'playlists:change',
  'DELETE /api/channels/:channel/media': 'playlists:change',
  'PUT /api/channels/:channel/media/order': 'playlists:change',
  'POST /api/media/upload': 'media:create',
  'GET /api/media': 'media:read',
  'PUT /api/media/:media': 'media:change',
  'GET /api/media/:media': 'media:read',
  'DELETE /api/media/:media': 'media:delete',
  'GET /api/servers': 'servers:read',
  'POST /api/servers/:server/drain': 'servers:drain',
  'POST /api/servers/:server/undrain': 'servers:drain',
  'GET /api/channels/:channel/placement': 'placement:read',
  'PATCH /api/channels/:channel/placement': 'placement:change',
  'POST /api/channels/:channel/move': 'placement:change',
  'GET /api/users': 'users:read',
  'POST /api/users': 'users:create',
  'PATCH /api/users/:user': 'users:change',
  'GET /api/tokens': 'tokens:read',
  'POST /api/tokens': 'tokens:create',
  'DELETE /api/tokens/:token': 'tokens:revoke',
  'DELETE /api/users/:user': 'users:delete',
  'GET /api/account': 'account:read',
  'PATCH /api/account': 'account:change',
  'DELETE /api/account': 'account:delete',
  'POST /api/account/password': 'account:change',
  'POST /api/account/totp': 'account:change',
  'POST /api/account/totp/confirm': 'account:change',
  'DELETE /api/account/totp': 'account:change',
  'POST /api/register': 'public',
  'POST /api/confirm-email': 'public',
  'POST /api/confirm-email/resend': 'public',
  'POST /api/login': 'public',
  'POST /api/logout': 'session:end',
  'POST /api/password/forgot': 'public',
  'POST /api/password/reset': 'public',
  'GET /api/auth/providers': 'public',
  'GET /api/auth/:provider': 'public',
  'GET /api/auth/:provider/callback': 'public',
  'GET /account/confirm-email': 'public',
  'GET /account/reset-password': 'public',
  'GET /api/ping': 'public',
  'GET /up': 'public',
  'GET /healthz': 'public',
  'GET /readyz': 'public',
  'GET /metrics': 'metrics:read',
}

let api: TestApi
const tokens = {} as Record<Person, string | undefined>
let ownerId: string

beforeAll(async () => {
  api = await testApi({}, undefined, { providers: { google: { clientId: 'x', clientSecret: 'y' } } })
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  const owner = await api.user('dj')
  ownerId = owner.user.id
  tokens.nobody = undefined
  tokens.forger = `sk_${'A'.repeat(43)}`
  tokens.listener = (await api.user('listener')).token
  tokens.stranger = (await api.user('dj')).token
  tokens.owner = owner.token
  tokens.admin = (await api.user('admin')).token
  api.servers.set('studio', { capacity: 100, sight: { kind: 'heard' } })
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

test('A8: every route says who may call it, and the matrix knows each', () => {
  const table = api.app.accessTable.filter(({ method }) => method !== 'HEAD')
  const actual = Object.fromEntries(table.map(({ method, url, access }) => [`${method} ${url}`, access]))
  expect(actual).toEqual(routes)
})

const SPENT = new Set(['POST /api/logout'])
async function spare(person: Person): Promise<string | undefined> {
  const known = tokens[person]
  const identity = known === undefined ? null : await api.stores.accounts.identify(known)
  return identity ? (await api.stores.accounts.createToken(identity.user.id, 'spare', { replace: true })).secret : known
}

/** Answers without an end are hung up on once they have begun, over a real connection: only there a client can leave. */
async function ask(method: string, url: string, token: string | undefined) {
  if (!url.endsWith('/events')) return api.call(method, url, { ...(token !== undefined && { token }) })
  const hangUp = new AbortController()
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const response = await fetch(api.app.listeningOrigin + url, { signal: hangUp.signal, headers })
  hangUp.abort()
  return { status: response.status, headers: Object.fromEntries(response.headers) }
}

describe.each(Object.entries(routes))('A7, A8, A14: %s', (route, access) => {
  test.each(people)('%s', async (person) => {
    const [method, pattern] = route.split(' ') as [string, string]
    const channel = await api.stores.channels.create({
      ownerId,
      name: 'x',
      slug: `x-${Math.random().toString(36).slice(2)}`,
      description: '',
      genre: '',
      mode: 'copy',
      bitrateKbps: 128,
    })
    const media = await api.stores.media.add(musicRecord(ownerId), async () => {})
    const { secret: _, ...made } = await api.stores.accounts.createToken(ownerId, 'matrix', { replace: true })
    const parameters: Record<string, string> = {
      channel: channel.id,
      media: media.id,
      user: route.startsWith('DELETE') ? (await api.user('dj')).user.id : ownerId,
      token: made.id,
      server: 'studio',
      provider: 'google',
    }
    const url = pattern.replaceAll(/:(\w+)/g, (_, name: string) => parameters[name] ?? `a parameter without a value: ${name}`)
    // What ends the token or the user it was asked with gets one of its own.
    const token = SPENT.has(route) ? await spare(person) : tokens[person]
    const { status, headers } = await ask(method, url, token)
    const wanted = (WITHOUT_OWNER[route] ?? expected[access])[people.indexOf(person)]!
    if (wanted === 'ok') expect([401, 403, 404]).not.toContain(status)
    else expect(status).toBe(wanted)
    if (wanted === 401) expect(headers['www-authenticate']).toBe('Bearer')
    // Nothing that a browser would send along by itself, and no page of others may read what is answered.
    if (!url.startsWith('/api/auth/'))
      expect([headers['set-cookie'], headers['access-control-allow-origin']]).toEqual([undefined, undefined])
    if (wanted !== 'ok') {
      expect(await api.stores.channels.find(channel.id)).toEqual(channel)
      expect(await api.stores.media.find(media.id)).toEqual(media)
      expect(await api.stores.accounts.findToken(made.id)).toEqual(made)
    }
  })
})

test.each([
  '',
  'Bearer',
  'Bearer ',
  'Bearer x',
  'Basic YWRtaW46YWRtaW4=',
  'Bearer undefined',
  'Bearer sk_',
  `Bearer ${'a'.repeat(5000)}`,
])('A6: it is the value of a token that counts, not that there is one: %j', async (authorization) => {
  const { status } = await api.call('GET', '/api/media', { headers: { authorization } })
  expect(status).toBe(401)
})

test('A13: a token that was revoked opens nothing any more', async () => {
  const { user, token } = await api.user('admin')
  expect((await api.call('GET', '/api/media', { token })).status).toBe(200)
  await api.stores.accounts.createToken(user.id, 'test', { replace: true })
  expect((await api.call('GET', '/api/media', { token })).status).toBe(401)
})

test('A7: lists of media hold only one’s own, but for an admin', async () => {
  const one = await api.user('dj')
  const two = await api.user('dj')
  await api.stores.media.add(musicRecord(one.user.id), async () => {})
  expect((await api.call('GET', '/api/media', { token: one.token })).body.total).toBe(1)
  expect((await api.call('GET', '/api/media', { token: two.token })).body.total).toBe(0)
  expect((await api.call('GET', '/api/media', { token: tokens.admin! })).body.total).toBeGreaterThan(0)
})

test('A9, A10: what a request says of its host or address changes nothing', async () => {
  const headers = {
    host: 'evil.test',
    'x-forwarded-host': 'evil.test',
    'x-forwarded-for': '127.0.0.1',
    forwarded: 'host=evil.test',
  }
  const channel = await api.call('POST', '/api/channels', {
    token: tokens.owner!,
    body: { name: 'hosts', slug: 'hosts' },
    headers,
  })
  expect(channel.text).not.toContain('evil')
  expect((await api.call('GET', '/api/channels/hosts/stream-url', { headers })).body).toEqual({
    stream_url: 'http://radio.test:8000/hosts',
  })
  expect((await api.call('GET', '/api/media', { headers })).status).toBe(401)
})
