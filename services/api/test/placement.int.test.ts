import { beforeAll, beforeEach, expect, test } from '@jest/globals'
import { place } from '../src/domain/place.ts'
import { placeableOf, surveyServers } from '../src/survey-servers.ts'
import type { TestServer } from './test-api.ts'
import { testChannels } from './test-channels.ts'

const given = testChannels()
let admin: string

beforeAll(async () => {
  admin = (await given.api.user('admin')).token
}, 60_000)

beforeEach(async () => {
  given.api.servers.clear()
  await given.api.query('DELETE FROM servers')
  await given.api.query('DELETE FROM channels')
})

const heard = (fields: Partial<TestServer> = {}): TestServer => ({ capacity: 100, sight: { kind: 'heard' }, ...fields })
const silent = (fields: Partial<TestServer> = {}): TestServer => ({
  capacity: 100,
  sight: { kind: 'silent', since: 0 },
  ...fields,
})

const channel = async () => (await given.withMusic()).id
const start = (id: string) => given.api.call('POST', `/api/channels/${id}/stream/start`, { token: given.token })
const placement = async (id: string) =>
  (await given.api.call('GET', `/api/channels/${id}/placement`, { token: given.token })).body
const wish = (id: string, body: object) => given.api.call('PATCH', `/api/channels/${id}/placement`, { token: given.token, body })
const move = (id: string, body: object) => given.api.call('POST', `/api/channels/${id}/move`, { token: given.token, body })
const lastCommand = async (id: string) =>
  (
    await given.api.query<{ payload: Record<string, never> }>(
      'SELECT payload FROM outbox WHERE key = $1 ORDER BY id DESC LIMIT 1',
      [id],
    )
  )[0]!.payload

test('a channel says where it is, why, and why no other server has it', async () => {
  given.api.servers.set('here', heard())
  const id = await channel()
  await start(id)
  given.api.servers.set('full', heard({ capacity: 0 }))
  given.api.servers.set('lost', silent())
  expect(await placement(id)).toMatchObject({
    cost: 1,
    replicas: 1,
    labels: {},
    pinned_server: null,
    primary: { server: 'here', epoch: 1, mount: expect.stringMatching(/^\/[^/]+$/) },
    standby: null,
    moved: { from: null, because: 'It was started, and this server had room.' },
    servers_total: 3,
    servers: [
      { id: 'here', has: 'primary', load: 1, refused_because: [] },
      { id: 'lost', state: 'lost', refused_because: ['it is not heard any more'] },
      { id: 'full', refused_because: ['it is full: it carries 0 of 0, and the channel costs 1'] },
    ],
  })
})

test('labels that are asked for move a channel at once, or as soon as somebody has them', async () => {
  given.api.servers.set('us', heard({ labels: { region: 'us' } }))
  const id = await channel()
  await start(id)
  const waiting = await wish(id, { labels: { region: 'eu' } })
  expect(waiting).toMatchObject({ status: 200, body: { labels: { region: 'eu' }, primary: { server: 'us', epoch: 1 } } })
  given.api.servers.set('eu', heard({ labels: { region: 'eu', disk: 'ssd' } }))
  const moved = await wish(id, { labels: { region: 'eu', disk: 'ssd' } })
  expect(moved.body.primary).toMatchObject({ server: 'eu', epoch: 2 })
  expect(await lastCommand(id)).toMatchObject({ epoch: 2, server_id: 'eu', takes_over: { server_id: 'us', at: 'now' } })
  const { status, body } = await move(id, { server_id: 'us' })
  expect([status, body.error]).toEqual([409, 'CONFLICT'])
  expect(body.details).toEqual(['it has no label disk, not disk=ssd', 'it has region=us, not region=eu'])
})

test('a wish that moves nothing is no command for agents', async () => {
  given.api.servers.set('here', heard())
  const id = await channel()
  await start(id)
  const before = await lastCommand(id)
  expect((await wish(id, { pinned_server: 'here' })).body).toMatchObject({ pinned_server: 'here', primary: { epoch: 1 } })
  expect((await wish(id, {})).status).toBe(200)
  expect(await lastCommand(id)).toEqual(before)
})

test('a second replica has another server and an epoch of its own, with which it steps in by a move to it', async () => {
  given.api.servers.set('a', heard())
  const id = await channel()
  await start(id)
  expect((await wish(id, { replicas: 2 })).body).toMatchObject({ primary: { server: 'a' }, standby: null })
  given.api.servers.set('b', heard())
  expect((await wish(id, { replicas: 2 })).body).toMatchObject({
    primary: { server: 'a', epoch: 1 },
    standby: { server: 'b', epoch: 2 },
  })
  expect(await lastCommand(id)).toMatchObject({ server_id: 'a', epoch: 1, standby: { server_id: 'b', epoch: 2 } })
  const status = async () => (await given.api.call('GET', `/api/channels/${id}/stream/status`)).body.stream
  expect((await status()).standby).toEqual({ server: 'b', phase: 'starting', since: expect.any(String), last_error: null })
  given.api.servers.set('b', silent())
  expect((await status()).standby).toMatchObject({ phase: 'failing', last_error: { code: 'SERVER_SILENT' } })
  given.api.servers.set('b', heard())
  expect((await move(id, { server_id: 'b', at: 'track_end' })).status).toBe(202)
  expect(await placement(id)).toMatchObject({ primary: { server: 'b', epoch: 2 }, standby: { server: 'a', epoch: 3 } })
  expect(await lastCommand(id)).toMatchObject({ takes_over: { server_id: 'a', at: 'track_end' } })
  expect((await wish(id, { replicas: 1 })).body).toMatchObject({ primary: { server: 'b', epoch: 2 }, standby: null })
  expect((await status()).standby).toBeNull()
  expect(await lastCommand(id)).not.toHaveProperty('standby')
})

test('a channel goes where it is moved and stays there, also when it is off', async () => {
  given.api.servers.set('a', heard())
  given.api.servers.set('b', heard())
  const id = await channel()
  expect((await move(id, { server_id: 'a' })).status).toBe(202)
  expect((await start(id)).body.stream).toMatchObject({ server: 'a', epoch: 1 })
  expect((await move(id, { server_id: 'a' })).body.stream).toMatchObject({ server: 'a', epoch: 1 })
  expect((await move(id, { server_id: 'b' })).body).toMatchObject({
    stream: { server: 'b', epoch: 2 },
    command: { id: `${id}:2` },
  })
})

test('many starts at the same moment fill no server beyond what it can carry', async () => {
  const ids = await Promise.all(Array.from({ length: 40 }, () => channel()))
  given.api.servers.set('a', heard({ capacity: 15 }))
  given.api.servers.set('b', heard({ capacity: 10 }))
  await Promise.all(ids.map(start))
  const { servers } = await surveyServers(given.api.ports)
  expect(servers.map(({ id, load }) => [id, load])).toEqual([
    ['a', 15],
    ['b', 10],
  ])
})

test('what can not be is refused, with what to do', async () => {
  given.api.servers.set('a', heard())
  const id = await channel()
  await start(id)
  for (const [body, about] of [
    [{ replicas: 3 }, /replicas/],
    [{ labels: { 'a b': 'x' } }, /labels/],
    [{ labels: { a: 'x\n' } }, /labels/],
    [{ labels: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`k${i}`, ''])) }, /20/],
    [{ pinned_server: 'nobody' }, /no server nobody/],
    [{ pinned_server: '../x' }, /pinned_server/],
    [{ server: 'a' }, /server: is not a field/],
  ] as const) {
    const answer = await wish(id, body)
    expect([answer.status, answer.body.message]).toEqual([400, expect.stringMatching(about)])
  }
  expect((await move(id, { server_id: 'nobody' })).status).toBe(404)
  expect((await move(id, { server_id: 'a', at: 'never' })).status).toBe(400)
  expect((await move(id, {})).status).toBe(400)
  for (const server of ['nobody', '%00', '..%2f']) {
    expect((await given.api.call('POST', `/api/servers/${server}/drain`, { token: admin })).status).toBe(404)
  }
})

test('a server that is being emptied gets nothing more, and says who wished it and what is left', async () => {
  given.api.servers.set('a', heard())
  const id = await channel()
  await start(id)
  const drained = await given.api.call('POST', '/api/servers/a/drain', { token: admin })
  expect(drained).toMatchObject({
    status: 202,
    body: { id: 'a', state: 'draining', placed: { channels: 1, cost: 1 }, drain: { by: expect.stringMatching(/^admin/) } },
  })
  const again = await given.api.call('POST', '/api/servers/a/drain', { token: (await given.api.user('admin')).token })
  expect(again.body.drain).toEqual(drained.body.drain)
  const other = await channel()
  expect((await start(other)).body.stream).toMatchObject({ phase: 'placing', server: null })
  expect((await given.api.call('POST', '/api/servers/a/undrain', { token: admin })).body).toMatchObject({
    state: 'open',
    drain: null,
  })
})

test('of any channels on any servers, the database lists all that would move', async () => {
  const pick = <T>(...items: readonly T[]): T => items[Math.floor(Math.random() * items.length)]!
  const names = ['s0', 's1', 's2', 's3', 's4', 's5', 's6']
  for (const name of names)
    given.api.servers.set(name, {
      capacity: pick(5, 40, 400),
      labels: pick<Record<string, string>>({}, { region: 'eu' }, { region: 'us' }, { region: 'eu', disk: 'ssd' }),
      sight: pick({ kind: 'heard' }, { kind: 'heard' }, { kind: 'heard' }, { kind: 'silent', since: 0 }, { kind: 'unknown' }),
    })
  given.api.servers.set('s0', heard({ capacity: 10_000 })) // somebody has room
  await given.api.stores.servers.drain('s6', 'somebody')
  const random = Array.from({ length: 300 }, (_, index) => ({
    id: `c${String(index).padStart(3, '0')}`,
    slug: `any-${index}`,
    mode: pick('copy', 'encode'),
    replicas: pick(1, 1, 2),
    labels: pick({}, {}, { region: 'eu' }, { disk: 'ssd' }),
    pin: pick(null, null, null, ...names),
    server: pick(null, ...names, ...names),
    standby: pick(null, null, ...names),
  }))
  const plain = { mode: 'copy', replicas: 1, labels: {}, pin: null, standby: null }
  Object.assign(random[0]!, plain, { server: 's0' }) // well where it is
  Object.assign(random[1]!, plain, { server: null })
  await given.api.query(
    `INSERT INTO channels (id, owner_id, name, slug, description, genre, mode, bitrate_kbps, wanted, replicas, server_labels, pinned_server_id, server_id, standby_server_id)
     SELECT id, $2, '', slug, '', '', mode, 128, 'on', replicas, labels, pin, server, standby FROM json_to_recordset($1::json)
       AS c (id text, slug text, mode stream_mode, replicas int, labels jsonb, pin text, server text, standby text)`,
    [JSON.stringify(random), given.userId],
  )
  const { servers } = await surveyServers(given.api.ports)
  const settled = servers.filter(({ state, load, capacity }) => state === 'unsure' || (state === 'open' && load <= capacity))
  const listed = await given.api.stores.channels.listMisplaced(settled, 1000)
  const all = (await given.api.stores.channels.listFrom('', 1000)).map(placeableOf)
  const moving = place(all, servers, Math.random).map(({ channelId }) => channelId)
  expect(moving.length).toBeGreaterThan(0)
  expect(listed.map(({ id }) => id)).toEqual(expect.arrayContaining(moving))
  expect(listed.length).toBeLessThan(all.length)
  expect((await given.api.stores.channels.listMisplaced(settled, 3)).map(({ id }) => id)).toEqual(
    listed.slice(0, 3).map(({ id }) => id),
  )
})
