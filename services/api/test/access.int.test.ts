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
const expected: Record<Access, Record<Person, 401 | 403 | 404 | 'ok'>> = {
  public: { nobody: 'ok', forger: 'ok', listener: 'ok', stranger: 'ok', owner: 'ok', admin: 'ok' },
  signed_in: { nobody: 401, forger: 401, listener: 'ok', stranger: 'ok', owner: 'ok', admin: 'ok' },
  maker: { nobody: 401, forger: 401, listener: 403, stranger: 'ok', owner: 'ok', admin: 'ok' },
  channel_owner: { nobody: 401, forger: 401, listener: 403, stranger: 403, owner: 'ok', admin: 'ok' },
  media_owner: { nobody: 401, forger: 401, listener: 404, stranger: 404, owner: 'ok', admin: 'ok' },
  token_owner: { nobody: 401, forger: 401, listener: 404, stranger: 404, owner: 'ok', admin: 'ok' },
  admin: { nobody: 401, forger: 401, listener: 403, stranger: 403, owner: 403, admin: 'ok' },
}

/** Every route of ours. A route that is not here fails the first test: somebody must say who may call it. */
const routes: Record<string, Access> = {
  'GET /api/channels': 'public',
  'POST /api/channels': 'maker',
  'GET /api/channels/:channel': 'public',
  'PUT /api/channels/:channel': 'channel_owner',
  'DELETE /api/channels/:channel': 'channel_owner',
  'POST /api/channels/:channel/stream/start': 'channel_owner',
  'POST /api/channels/:channel/stream/stop': 'channel_owner',
  'PUT /api/channels/:channel/state': 'channel_owner',
  'GET /api/channels/:channel/stream/status': 'public',
  'GET /api/channels/:channel/stream-url': 'public',
  'GET /api/events': 'public',
  'GET /api/channels/:channel/events': 'public',
  'GET /api/channels/:channel/track-plays': 'public',
  'GET /api/channels/:channel/metrics': 'channel_owner',
  'GET /api/channels/:channel/media': 'channel_owner',
  'POST /api/channels/:channel/media': 'channel_owner',
  'DELETE /api/channels/:channel/media': 'channel_owner',
  'PUT /api/channels/:channel/media/order': 'channel_owner',
  'POST /api/media/upload': 'maker',
  'GET /api/media': 'signed_in',
  'PUT /api/media/:media': 'media_owner',
  'GET /api/media/:media': 'media_owner',
  'DELETE /api/media/:media': 'media_owner',
  'GET /api/servers': 'admin',
  'POST /api/servers/:server/drain': 'admin',
  'POST /api/servers/:server/undrain': 'admin',
  'GET /api/channels/:channel/placement': 'channel_owner',
  'PATCH /api/channels/:channel/placement': 'channel_owner',
  'POST /api/channels/:channel/move': 'channel_owner',
  'GET /api/users': 'admin',
  'POST /api/users': 'admin',
  'PATCH /api/users/:user': 'admin',
  'GET /api/tokens': 'signed_in',
  'POST /api/tokens': 'signed_in',
  'DELETE /api/tokens/:token': 'token_owner',
  'GET /api/ping': 'public',
  'GET /up': 'public',
  'GET /healthz': 'public',
  'GET /readyz': 'public',
  'GET /metrics': 'signed_in',
}

let api: TestApi
const tokens = {} as Record<Person, string | undefined>
let ownerId: string

beforeAll(async () => {
  api = await testApi()
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
      user: ownerId,
      token: made.id,
      server: 'studio',
    }
    const url = pattern.replaceAll(/:(\w+)/g, (_, name: string) => parameters[name] ?? `a parameter without a value: ${name}`)
    const token = tokens[person]
    const { status, headers } = await ask(method, url, token)
    const wanted = expected[access][person]
    if (wanted === 'ok') expect([401, 403, 404]).not.toContain(status)
    else expect(status).toBe(wanted)
    if (wanted === 401) expect(headers['www-authenticate']).toBe('Bearer')
    // Nothing that a browser would send along by itself, and no page of others may read what is answered.
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
