import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { signListenToken } from '@skipcast/contracts'
import { waitFor } from '@skipcast/runtime'
import { musicRecord, SIGNING_KEY, testApi, type TestApi } from './test-api.ts'

let api: TestApi
let url: string
const tokens = {} as Record<'owner' | 'stranger' | 'listener' | 'admin', string>
let ownerId: string
let secret: { id: string; slug: string }

beforeAll(async () => {
  api = await testApi({ maxEventClients: 20, maxEventClientsPerAddress: 20 })
  url = await api.app.listen({ host: '127.0.0.1', port: 0 })
  const owner = await api.user('dj')
  ownerId = owner.user.id
  tokens.owner = owner.token
  tokens.stranger = (await api.user('dj')).token
  tokens.listener = (await api.user('listener')).token
  tokens.admin = (await api.user('admin')).token
  for (const body of [
    { name: 'Everybody’s', slug: 'open' },
    { name: 'Hidden Treasure', slug: 'secret', privacy: 'private', genre_ids: [8] },
  ]) {
    const made = await api.call('POST', '/api/channels', { token: tokens.owner, body })
    expect(made.status).toBe(201)
    secret = made.body.channel
  }
}, 60_000)
afterAll(async () => api[Symbol.asyncDispose]())

type Person = 'nobody' | keyof typeof tokens
const ask = (person: Person, path: string, method = 'GET', body?: object) =>
  api.call(method, path, { ...(person !== 'nobody' && { token: tokens[person] }), ...(body && { body }) })

test.each<[Person, boolean]>([
  ['nobody', false],
  ['stranger', false],
  ['listener', false],
  ['owner', true],
  ['admin', true],
])('%s finds the private channel in lists, by search and by filters: %s', async (person, isSeen) => {
  const slugs = async (query: string) => {
    const { body } = await ask(person, `/api/channels?${query}`)
    expect(body.total).toBe(body.data.length)
    return body.data.map(({ slug }: { slug: string }) => slug)
  }
  expect(await slugs('sort=slug&order=asc')).toEqual(isSeen ? ['open', 'secret'] : ['open'])
  for (const query of [
    'search=treasure',
    'search=%25',
    'search=secret',
    'genre=jazz',
    'privacy=private',
    'search=Hidden&genre=jazz',
  ])
    expect((await slugs(query)).includes('secret')).toBe(isSeen && query !== 'search=%25')
})

test.each(['nobody', 'stranger', 'listener'] as const)(
  'for %s there is no private channel, whatever they ask',
  async (person) => {
    for (const name of [secret.id, 'secret']) {
      const missing = (await ask(person, `/api/channels/none-${name}`)).body
      for (const path of ['', '/stream/status', '/stream-url', '/events', '/track-plays', '/media', '/artwork']) {
        const { status, body } = await ask(person, `/api/channels/${name}${path}`)
        expect([path, status, body]).toEqual([path, 404, missing])
      }
      for (const [method, path] of [
        ['GET', '/metrics'],
        ['PUT', '/artwork'],
        ['DELETE', '/artwork'],
        ['GET', '/jobs'],
        ['PUT', ''],
        ['PATCH', ''],
        ['DELETE', ''],
        ['POST', '/stream/start'],
        ['POST', '/media'],
        ['POST', '/genres'],
        ['GET', '/placement'],
      ] as const) {
        const [{ status, body }, none] = [
          await ask(person, `/api/channels/${name}${path}`, method),
          await ask(person, `/api/channels/none-${name}${path}`, method),
        ]
        expect([method, path, status, body]).toEqual([method, path, none.status, none.body])
        expect([401, 403, 404]).toContain(status)
      }
    }
  },
)

test('its owner and admins read all of it', async () => {
  for (const person of ['owner', 'admin'] as const) {
    expect((await ask(person, '/api/channels/secret')).body).toMatchObject({ slug: 'secret', privacy: 'private' })
    for (const path of ['/stream/status', '/stream-url', '/track-plays', '/media', '/metrics'])
      expect((await ask(person, `/api/channels/secret${path}`)).status).toBe(200)
  }
})

test('its link to listen is signed and expires; that of a public channel is plain', async () => {
  const link = (path: string) => ask('owner', `/api/channels/${path}`)
  expect((await link('open/stream-url')).body).toEqual({ stream_url: 'http://radio.test:8000/open' })
  const { body, headers } = await link('secret/stream-url')
  const expiresAt = Date.parse(body.expires_at) / 1000
  expect(body.stream_url).toBe(
    `http://radio.test:8000/secret?token=${signListenToken(SIGNING_KEY, { channelId: secret.id, expiresAt })}`,
  )
  expect([headers['cache-control'], Math.round(expiresAt - Date.now() / 1000 - 3600)]).toEqual([
    'no-store',
    expect.closeTo(0, -1),
  ])
  const short = (await link('secret/stream-url?expires_in=60')).body
  expect(Date.parse(short.expires_at)).toBeLessThanOrEqual(Date.now() + 60_000)
  for (const nonsense of ['0', '-1', 'x', '2592001', '1.5'])
    expect((await link(`secret/stream-url?expires_in=${nonsense}`)).status).toBe(400)
})

test('a running channel tells who may listen: everybody, or who has a link, from the moment that it is private', async () => {
  const media = await api.stores.media.add(musicRecord(ownerId))
  const { channel } = (await ask('owner', '/api/channels', 'POST', { name: 'On air' })).body
  await ask('owner', `/api/channels/${channel.id}/media`, 'POST', { media_ids: [media.id] })
  await ask('owner', `/api/channels/${channel.id}/stream/start`, 'POST')
  await ask('owner', `/api/channels/${channel.id}`, 'PATCH', { privacy: 'private' })
  await ask('owner', `/api/channels/${channel.id}`, 'PATCH', { privacy: 'public' })
  const rows = await api.query<{ payload: { listeners?: string } }>('SELECT payload FROM outbox WHERE key = $1 ORDER BY id', [
    channel.id,
  ])
  expect(rows.map(({ payload }) => payload.listeners)).toEqual([undefined, 'signed', undefined])
  await ask('owner', `/api/channels/${channel.id}`, 'DELETE')
})

test('a token shows private channels only if it is good for that, and a false one shows what nobody sees', async () => {
  const scoped = async (...scopes: string[]) => (await api.stores.accounts.createToken(ownerId, 'scoped', { scopes })).secret
  const read = async (token: string) => (await api.call('GET', '/api/channels/secret', { token })).status
  expect(await read(await scoped('channels:read'))).toBe(200)
  expect(await read(await scoped('media:read'))).toBe(404)
  expect(await read(`sk_${'A'.repeat(43)}`)).toBe(404)
  const controller = await scoped('streams:control') // what it is good for, it can do
  expect((await api.call('POST', '/api/channels/secret/stream/stop', { token: controller })).status).toBe(202)
})

test('who follows the streams is told of private channels only where these are theirs, and that one is gone when it becomes private', async () => {
  const follow = async (person: Person) => {
    const hangUp = new AbortController()
    const headers = person === 'nobody' ? {} : { authorization: `Bearer ${tokens[person]}` }
    const response = await fetch(`${url}/api/events`, { headers, signal: hangUp.signal })
    const heard = { text: '', [Symbol.dispose]: () => hangUp.abort() }
    void (async () => {
      for await (const chunk of response.body!) heard.text += Buffer.from(chunk as Uint8Array).toString()
    })().catch(() => {})
    await waitFor('the picture', () => heard.text.includes('event: complete'), { timeoutMs: 5000 })
    return heard
  }
  using nobody = await follow('nobody')
  using stranger = await follow('stranger')
  using owner = await follow('owner')
  using admin = await follow('admin')
  const { channel } = (await ask('owner', '/api/channels', 'POST', { name: 'Flips', slug: 'flips' })).body
  const all = [nobody, stranger, owner, admin]
  const until = (heard: { text: string }, text: string) => waitFor(text, () => heard.text.includes(text), { timeoutMs: 5000 })
  for (const heard of all) await until(heard, '"slug":"flips"')
  await ask('owner', '/api/channels/flips', 'PUT', { privacy: 'private' })
  for (const heard of all) await until(heard, `event: gone\ndata: {"channel":{"id":"${channel.id}"}}`)
  await ask('owner', '/api/channels/flips', 'PUT', { name: 'Renamed in secret' })
  for (const heard of [owner, admin]) await until(heard, '"name":"Renamed in secret"')
  await ask('owner', '/api/channels/open', 'PUT', { name: 'The end' })
  for (const heard of all) await until(heard, '"name":"The end"')
  for (const heard of [nobody, stranger]) expect(heard.text).not.toMatch(/Renamed in secret|"slug":"secret"/)
  await ask('owner', '/api/channels/flips', 'PUT', { privacy: 'public' })
  await until(nobody, '"name":"Renamed in secret"')
}, 30_000)
