import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { mediaKinds } from '@skipcast/media-store'
import { columns, matrix, type Cell, type Column } from './access-matrix.ts'
import { pathTo, SOME_FILE, somebody, tokenFor, type Somebody } from './access-world.ts'
import { musicRecord, testApi, type TestApi } from './test-api.ts'

const FORGED = `sk_${'A'.repeat(43)}`
const REFUSED: readonly number[] = [401, 403, 404]

type World = Record<'listener' | 'dj' | 'admin' | 'other', Somebody>

let api: TestApi
let world: World

const newWorld = async (): Promise<World> => {
  const [listener, dj, admin, other] = await Promise.all([
    somebody(api, 'listener'),
    somebody(api, 'dj'),
    somebody(api, 'admin'),
    somebody(api, 'dj'),
  ])
  return { listener, dj, admin, other }
}

beforeAll(async () => {
  api = await testApi({ maxEventClients: 20 }, undefined, { providers: { google: { clientId: 'x', clientSecret: 'y' } } })
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  api.servers.set('studio', { capacity: 100, sight: { kind: 'heard' } })
  for (const kind of mediaKinds) {
    const file = join(api.mediaPath, 'file')
    await writeFile(file, '"music"')
    await api.ports.mediaStore.put({ kind, sha256: SOME_FILE }, file)
  }
  world = await newWorld()
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const routes = () => {
  const gets = new Set(api.app.accessTable.filter(({ method }) => method === 'GET').map(({ url }) => url))
  return api.app.accessTable.filter(
    ({ method, url }) => method !== 'OPTIONS' && !(method === 'HEAD' && (gets.has(url) || url.startsWith('/docs'))),
  )
}

test('A8: every route of the application has a row in the matrix, and every row a route', () => {
  expect([...matrix.keys()].toSorted()).toEqual(
    routes()
      .map(({ method, url }) => `${method} ${url}`)
      .toSorted(),
  )
})

test.each([...matrix])('A7, A8, A13, A14: who may %s', async (route, expected) => {
  const [method, pattern] = route.split(' ') as [string, string]
  const access = routes().find((each) => each.method === method && each.url === pattern)!.access
  const actual = {} as Record<Column, Cell | number>
  for (const column of columns) {
    const { token, whose } = await asking(column, access)
    const before = expected[column] === 'ok' ? null : await seen(whose)
    const { status, headers } = await ask(method, pathTo(pattern, whose), token)
    actual[column] = REFUSED.includes(status) ? (`${status}` as Cell) : status < 500 ? 'ok' : status
    if (status === 401) expect(headers['www-authenticate']).toBe('Bearer')
    // Nothing that a browser would send along by itself, and no page of others may read what is answered.
    if (!pattern.startsWith('/api/auth/'))
      expect([headers['set-cookie'], headers['access-control-allow-origin']]).toEqual([undefined, undefined])
    if (before) expect(await seen(whose)).toEqual(before)
    else if (method !== 'GET' && status < 300) world = await newWorld() // something happened
  }
  expect(actual).toEqual(expected)
})

/** What somebody of this column brings along, and whose objects they name. */
async function asking(column: Column, access: string): Promise<{ token: string | undefined; whose: Somebody }> {
  const { listener, dj, admin, other } = world
  switch (column) {
    case 'nobody':
      return { token: undefined, whose: other }
    case 'forger':
      return { token: FORGED, whose: other }
    case 'unfit':
      return { token: await tokenFor(api, admin.id, []), whose: other }
    case 'fit':
      return { token: await tokenFor(api, dj.id, ['public', 'open'].includes(access) ? [] : [access as never]), whose: dj }
    default: {
      const [role, reach] = column.split('-') as ['listener' | 'dj' | 'admin', 'own' | 'other']
      return { token: world[role].session, whose: reach === 'own' ? { listener, dj, admin }[role] : other }
    }
  }
}

/** What can be seen of somebody's things by whoever owns the database. */
async function seen({ objects }: Somebody) {
  const { channels, media, accounts } = api.stores
  const { channel, media: piece, token, user } = objects as Record<string, string>
  const unseen = async () => {
    const found = await channels.find(channel!)
    return found && { ...found, views: 0 } // looking is no harm
  }
  return Promise.all([unseen(), media.find(piece!), accounts.findToken(token!), accounts.findAccount(user!)])
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

test('whoever may do something to nothing is not told what there is', async () => {
  const unfit = await tokenFor(api, world.dj.id, ['channels:read'])
  for (const token of [world.listener.session, unfit]) {
    for (const [method, pattern] of [
      ['GET', '/api/channels/trash/view/:trashed'],
      ['POST', '/api/channels/:trashed/restore'],
      ['POST', '/api/media/:media/convert'],
    ] as const) {
      const answers = [pathTo(pattern, world.other), pattern.replace(/:\w+/, 'there-is-none')].map((path) =>
        api.call(method, path, { token }),
      )
      expect((await Promise.all(answers)).map(({ status }) => [pattern, status])).toEqual([
        [pattern, 403],
        [pattern, 403],
      ])
    }
  }
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
  await api.stores.media.add(musicRecord(one.user.id))
  expect((await api.call('GET', '/api/media', { token: one.token })).body.total).toBe(1)
  expect((await api.call('GET', '/api/media', { token: two.token })).body.total).toBe(0)
  expect((await api.call('GET', '/api/media', { token: world.admin.session })).body.total).toBeGreaterThan(0)
})

test('A15: of a public piece, others with an account may have its record and what is heard of it; its file only where its owner says so', async () => {
  const { media: id } = world.other.objects
  await api.query(`UPDATE media SET visibility = 'public', file_sha256 = $2 WHERE id = $1`, [id, 'f'.repeat(64)])
  const ask = async (method: string, path: string, token?: string) =>
    (await api.call(method, `/api/media/${id}${path}`, { ...(token !== undefined && { token }) })).status
  const asked = (token?: string) =>
    Promise.all([
      ask('GET', '', token),
      ask('GET', '/file', token),
      ask('GET', '/url', token),
      ask('GET', '/original', token),
      ask('GET', '/url?part=original', token),
      ask('PUT', '', token),
      ask('DELETE', '', token),
      ask('POST', '/genres', token),
    ])
  expect(await asked()).toEqual(Array(8).fill(401))
  const { listener, dj } = world
  for (const { session } of [listener, dj]) expect(await asked(session)).toEqual([200, 200, 200, 403, 403, 404, 404, 404])
  await api.query(`UPDATE media SET downloadable = true WHERE id = $1`, [id])
  expect([await ask('GET', '/url?part=original', listener.session)]).toEqual([200])
  await api.query(`UPDATE media SET visibility = 'private' WHERE id = $1`, [id])
  expect(await asked(listener.session)).toEqual(Array(8).fill(404))
})

test('nobody takes the seats of all who follow the work on their media', async () => {
  await using hungUp = new AsyncDisposableStack()
  const follow = async ({ session, objects }: Somebody) => {
    const hangUp = new AbortController()
    hungUp.defer(() => hangUp.abort())
    const url = `${api.app.listeningOrigin}/api/media/${objects['media']}/events`
    const { status } = await fetch(url, { signal: hangUp.signal, headers: { authorization: `Bearer ${session}` } })
    return status
  }
  const { dj } = world
  await api.query(`INSERT INTO media_jobs (id, media_id, kind, message) VALUES ($1, $1, 'import_media', '{}')`, [
    dj.objects['media'],
  ])
  const seats = api.ports.settings.maxEventClientsPerAddress
  const found: number[] = []
  for (let turn = 0; turn <= seats; turn++) found.push(await follow(dj))
  expect(found).toEqual([...Array(seats).fill(200), 429])
})

test('A9, A10: what a request says of its host or address changes nothing', async () => {
  const headers = {
    host: 'evil.test',
    'x-forwarded-host': 'evil.test',
    'x-forwarded-for': '127.0.0.1',
    forwarded: 'host=evil.test',
  }
  const channel = await api.call('POST', '/api/channels', {
    token: world.dj.session,
    body: { name: 'hosts', slug: 'hosts' },
    headers,
  })
  expect(channel.text).not.toContain('evil')
  expect((await api.call('GET', '/api/channels/hosts/stream-url', { headers })).body).toEqual({
    stream_url: 'http://radio.test:8000/hosts',
  })
  expect((await api.call('GET', '/api/media', { headers })).status).toBe(401)
})

test('A7: an upload is the one that the path names, whatever else the address says', async () => {
  const begin = async ({ session }: Somebody) => {
    const headers = { 'tus-resumable': '1.0.0', 'upload-length': '100' }
    const { headers: answered } = await api.call('POST', '/api/media/uploads', { token: session, headers })
    return String(answered['location'])
  }
  const [own, foreign] = [await begin(world.dj), await begin(world.other)]
  const id = foreign.split('/').at(-1)!
  const asked = [`?x=/${id}`, `?/${id}`, `?x=${encodeURIComponent('/')}${id}`, `/?/${id}`]
  for (const query of asked) {
    const headers = { 'tus-resumable': '1.0.0', 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' }
    await api.call('PATCH', own + query, { token: world.dj.session, headers, body: Buffer.from('x') })
    await api.call('DELETE', own + query, { token: world.dj.session, headers: { 'tus-resumable': '1.0.0' } })
  }
  const head = await api.call('HEAD', foreign, { token: world.other.session, headers: { 'tus-resumable': '1.0.0' } })
  expect([head.status, head.headers['upload-offset']]).toEqual([200, '0'])
})
