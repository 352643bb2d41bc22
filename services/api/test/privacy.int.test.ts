import { personalTables } from '@skipcast/db'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
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
  const media = await api.stores.media.add(musicRecord(person.id), async () => {})
  await ask('POST', `/api/channels/${channel.id}/media`, { media_ids: [media.id] })
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
