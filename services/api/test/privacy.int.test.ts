import { personalTables } from '@skipcast/db'
import { silentLogger } from '@skipcast/runtime'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { keepAccounts } from '../src/end-account.ts'
import { musicRecord, testApi, type TestApi } from './test-api.ts'
import { PASSWORD, registered, session } from './test-people.ts'

let api: TestApi

beforeAll(async () => {
  api = await testApi()
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

/** A dj with a session, a token, a channel and a piece in its playlist. */
async function somebody() {
  const person = await registered(api)
  await api.query(`UPDATE users SET role = 'dj' WHERE id = $1`, [person.id])
  const token = await session(api, person)
  const ask = (method: string, url: string, body?: object) => api.call(method, url, { token, ...(body && { body }) })
  await ask('PATCH', '/api/account', { name: `Name of ${person.username}` })
  const program = (await ask('POST', '/api/tokens', { name: 'my program' })).body
  const { channel } = (await ask('POST', '/api/channels', { name: 'Mine', slug: person.username })).body
  const media = await api.stores.media.add({ ...musicRecord(person.id), visibility: 'public' })
  await ask('POST', `/api/channels/${channel.id}/media`, { media_ids: [media.id] })
  for (const liked of [`channels/${channel.id}`, `media/${media.id}`]) await ask('POST', `/api/${liked}/like`)
  return { ...person, token, program, channel, media, ask }
}

test('an export holds all that is kept about its user, no secret, and nothing of another', async () => {
  const [one, other] = [await somebody(), await somebody()]
  await one.ask('POST', '/api/account/totp', { password: PASSWORD })
  const answer = await one.ask('GET', '/api/account/export')
  expect([answer.status, answer.headers['cache-control'], answer.headers['content-disposition']]).toEqual([
    200,
    'no-store',
    'attachment; filename="skipcast-account.json"',
  ])
  const { body, text } = answer
  expect(body.account).toMatchObject({ username: one.username, email: one.email, name: `Name of ${one.username}` })
  expect(body.log_ins).toMatchObject([{ provider_id: 'credential' }])
  expect(body.tokens).toMatchObject([{ id: one.program.id, name: 'my program' }])
  expect(body.channels).toMatchObject([{ id: one.channel.id, name: 'Mine' }])
  expect(body.playlists).toEqual([{ channel_id: one.channel.id, media_id: one.media.id, position: 0 }])
  expect(body.media).toMatchObject([{ id: one.media.id, title: one.media.title }])
  expect([body.likes, body.media_likes]).toMatchObject([[{ channel_id: one.channel.id }], [{ media_id: one.media.id }]])
  expect([body.sessions.length, body.second_factors.length]).toEqual([1, 1])

  for (const { id, email, username } of [other]) for (const each of [id, email, username]) expect(text).not.toContain(each)
  const secrets = await api.query<{ secret: string }>(
    `SELECT token_hash AS secret FROM sessions UNION SELECT token_hash FROM api_tokens UNION SELECT password FROM logins WHERE password IS NOT NULL
     UNION SELECT secret FROM two_factors UNION SELECT backup_codes FROM two_factors`,
  )
  for (const { secret } of secrets) expect(text).not.toContain(secret)
  for (const secret of [one.token, one.program.token]) expect(text).not.toContain(secret)
})

test('an export is read in pages, whose rows are all there and each once', async () => {
  const { id, ask } = await somebody()
  await api.query(
    `INSERT INTO sessions (id, user_id, token_hash, expires_at) SELECT 's-' || n, $1, 'h-' || n, now() + interval '1 day' FROM generate_series(1, 1200) n`,
    [id],
  )
  const { sessions } = (await ask('GET', '/api/account/export')).body
  expect(new Set(sessions.map((each: { id: string }) => each.id)).size).toBe(1201)
  expect(sessions).toHaveLength(1201)
})

test('every table with rows of a user is in the export, or is named as one that is not', async () => {
  // From table to table, along the foreign keys that lead to users.
  const tables = await api.query<{ name: string }>(`
    WITH RECURSIVE reach AS (
      SELECT 'users'::regclass AS id
      UNION SELECT conrelid::regclass FROM pg_constraint JOIN reach ON confrelid = reach.id WHERE contype = 'f'
    ) SELECT id::text AS name FROM reach WHERE id <> 'users'::regclass`)
  const { told, notTold } = personalTables
  expect(tables.map(({ name }) => name).toSorted()).toEqual([...told, ...Object.keys(notTold)].toSorted())
})

/** Every column that can hold text, in every table, with what stands there. */
async function allText(): Promise<{ place: string; text: string }[]> {
  const columns = await api.query<{ table: string; column: string }>(`
    SELECT table_name AS table, column_name AS column FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND data_type IN ('text', 'character varying', 'json', 'jsonb', 'ARRAY', 'USER-DEFINED')`)
  const found: { place: string; text: string }[] = []
  for (const { table, column } of columns) {
    const rows = await api.query<{ text: string }>(
      `SELECT "${column}"::text AS text FROM "${table}" WHERE "${column}" IS NOT NULL`,
    )
    found.push(...rows.map(({ text }) => ({ place: `${table}.${column}`, text })))
  }
  return found
}

const keep = () => keepAccounts({ ...api.ports, logger: silentLogger() }, new Date())

test('after an erasure nothing that is kept names the person, and what others have goes on', async () => {
  const [one, other] = [await somebody(), await somebody()]
  const admin = await api.user('admin')
  // A piece of theirs plays on a channel of another, as the only one, and on one where it is not; and they have drained a server.
  const { channel: second } = (await other.ask('POST', '/api/channels', { name: 'Second', slug: `second-${other.username}` }))
    .body
  await api.stores.playlists.attach(second.id, [one.media.id], { ownerId: null })
  await api.stores.playlists.attach(other.channel.id, [one.media.id], { ownerId: null })
  for (const id of [second.id, other.channel.id])
    expect((await other.ask('POST', `/api/channels/${id}/stream/start`)).status).toBe(202)
  expect((await one.ask('POST', `/api/media/${other.media.id}/like`)).body.likes).toBe(2)
  await api.stores.servers.drain('studio', one.username)
  await one.ask('POST', '/api/account/totp', { password: PASSWORD })
  await api.call('POST', '/api/password/forgot', { body: { email: one.email } })
  expect((await one.ask('POST', `/api/channels/${one.channel.id}/stream/start`)).status).toBe(202)
  const names = [one.email, one.username, `Name of ${one.username}`, one.id]
  const left = async () => (await allText()).filter(({ text }) => names.some((name) => text.includes(name)))
  expect((await left()).length).toBeGreaterThan(5)

  expect((await one.ask('DELETE', '/api/account', { password: PASSWORD, erase: true })).status).toBe(204)
  expect((await api.call('GET', '/api/account', { token: one.token })).status).toBe(401)
  await api.query(`DELETE FROM outbox`) // as the relay does
  await keep()
  expect(await left()).toEqual([])

  const state = async (id: string) => (await api.stores.channels.find(id))?.wanted ?? null
  expect([await state(one.channel.id), await state(second.id), await state(other.channel.id)]).toEqual([null, 'off', 'on'])
  expect(await api.stores.media.find(other.media.id)).toMatchObject({ likes: 1 })
  const tombstones = await api.query<{ key: string; payload: unknown }>(
    `SELECT key, payload FROM outbox WHERE key = $1 ORDER BY id`,
    [one.channel.id],
  )
  expect(tombstones.at(-1)).toMatchObject({ payload: null })
  const erase = () => api.call('DELETE', `/api/users/${one.id}?erase=true`, { token: admin.token })
  expect((await erase()).status).toBe(404)
  expect(
    (await api.call('POST', '/api/register', { body: { username: one.username, email: one.email, password: PASSWORD } })).status,
  ).toBe(201)
})

test('an admin erases somebody who was deleted before; one who can not be erased yet holds up nobody', async () => {
  const [one, other] = [await somebody(), await somebody()]
  const admin = await api.user('admin')
  const end = (id: string, query: string) => api.call('DELETE', `/api/users/${id}${query}`, { token: admin.token })
  expect([(await end(one.id, '')).status, (await end(one.id, '')).status]).toEqual([204, 404])
  await keep()
  expect(await api.stores.accounts.isUsernameTaken(one.username)).toBe(true) // deleted, not erased
  expect([(await end(one.id, '?erase=true')).status, (await end(other.id, '?erase=true')).status]).toEqual([204, 204])
  // What was made in the moment of the deletion is found by the next pass.
  const { erasure } = api.stores
  const blind = { ...api.stores, erasure: { ...erasure, listMedia: async () => [] } }
  await keepAccounts({ ...api.ports, stores: blind, logger: silentLogger() }, new Date())
  expect(await erasure.listDue(10)).toEqual([one.id, other.id])
  await keep()
  expect(await erasure.listDue(10)).toEqual([])
  expect(await api.stores.accounts.isUsernameTaken(one.username)).toBe(false)
})
