import { expect, test } from '@jest/globals'
import { testChannels } from './test-channels.ts'

const given = testChannels()
const { channel } = given

test.each([
  [{ name: '' }, 'name'],
  [{ name: ' \t' }, 'name'],
  [{ name: 'a\0b' }, 'name'],
  [{ name: 'a\nb' }, 'name'],
  [{ name: 'x'.repeat(121) }, 'name'],
  [{ name: 'x'.repeat(10_000) }, 'name'],
  [{ name: '\ud800' }, 'name'],
  [{ name: 5 }, 'name'],
  [{ name: 'Radio \u202egnp' }, 'name'],
  [{ name: 'x', description: 'a\u200bb' }, 'description'],
  [{ name: 'x', genre: '\u200d' }, 'genre'],
  [{}, 'name'],
  [{ name: 'x', slug: '../../etc' }, 'slug'],
  [{ name: 'x', slug: 'a/b' }, 'slug'],
  [{ name: 'x', slug: 'ADMIN' }, 'slug'],
  [{ name: 'x', slug: 'admin' }, 'slug'],
  [{ name: 'x', slug: '01a1fc63-3706-72df-b1e5-95ec58becb4d' }, 'slug'],
  [{ name: 'x', description: 'a'.repeat(2001) }, 'description'],
  [{ name: 'x', description: 'a\r\nice-name: b' }, 'description'],
  [{ name: 'x', genre: 'a'.repeat(101) }, 'genre'],
  [{ name: 'x', owner_id: 'somebody' }, 'owner_id'],
  [{ name: 'x', wanted: 'on' }, 'wanted'],
  [{ name: 'x', __proto__: { polluted: true }, constructor: 'x' }, 'constructor'],
])('A5: %j is refused with 400, and %s named', async (body, field) => {
  const answer = await given.api.call('POST', '/api/channels', { token: given.token, body })
  expect([answer.status, answer.body.error]).toEqual([400, 'BAD_REQUEST'])
  expect(answer.body.message).toContain(field)
  expect(answer.body.details.join()).toContain(field)
})

test('a slug that has a wrong form is not called reserved as well', async () => {
  const { body } = await given.api.call('POST', '/api/channels', { token: given.token, body: { name: 'x', slug: 'Ä' } })
  expect(body.details).toEqual([expect.stringMatching(/^slug: must be/)])
})

test.each([
  '#{process.run("touch canary")}"',
  "'; DROP TABLE channels; --",
  '<script>alert(1)</script>',
  'annotate:title="x":/etc/passwd',
  'process:mp3,touch canary',
  '$(touch canary)`x`',
  '📻 ラジオ 👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  '%s%n',
  '../../etc/passwd',
])('A1, A11: the name %j is text, kept and shown as it is', async (name) => {
  const { token } = await given.api.user('admin') // who makes a genre by naming it
  const { body, headers } = await given.api.call('POST', '/api/channels', {
    token,
    body: { name, description: name, genre: name },
  })
  expect(body.channel).toMatchObject({ name, description: name, genre: name })
  expect(headers['content-type']).toMatch(/^application\/json/)
  expect((await given.api.call('GET', `/api/channels/${body.channel.id}`)).body.name).toBe(name)
})

test.each([
  '/api/channels/none',
  '/api/channels/..%2f..%2fetc',
  '/api/channels/%00',
  '/api/channels/a%20b',
  '/api/channels/%ff',
  '/api/channels/none/stream/status',
  '/api/channels/none/stream-url',
  `/api/channels/${'a'.repeat(250)}`,
  '/api/nothing',
  '/',
])('A5: %s answers 4xx in the one shape of errors, without a stack', async (url) => {
  const { status, body, text } = await given.api.call('GET', url)
  expect([400, 404]).toContain(status)
  expect(Object.keys(body)).toEqual(expect.arrayContaining(['error', 'message']))
  expect(text).not.toMatch(/at .*\.ts|node_modules/)
})

test('wrong JSON, a wrong content type and a body that is too large are told apart', async () => {
  const post = (headers: Record<string, string>, payload: string) =>
    given.api.app.inject({
      method: 'POST',
      url: '/api/channels',
      headers: { authorization: `Bearer ${given.token}`, ...headers },
      payload,
    })
  const json = { 'content-type': 'application/json' }
  const answers = [
    await post(json, '{"name":'),
    await post(json, ''),
    await post({ 'content-type': 'text/xml' }, '<a/>'),
    await post(json, JSON.stringify({ name: 'x'.repeat(200_000) })),
    await post(json, '{"__proto__":{"a":1},"name":"x"}'),
  ]
  expect(answers.map((answer) => [answer.statusCode, answer.json().error])).toEqual([
    [400, 'BAD_REQUEST'],
    [400, 'BAD_REQUEST'],
    [415, 'UNSUPPORTED_MEDIA_TYPE'],
    [413, 'TOO_LARGE'],
    [400, 'BAD_REQUEST'],
  ])
})

test.each(['application/json', 'application/x-www-form-urlencoded', 'text/plain'])(
  'what needs no body takes none, though its type were %s',
  async (type) => {
    const { id } = await channel()
    const url = `/api/channels/${id}/stream`
    const ask = async (action: string) => {
      const answer = await given.api.call('POST', `${url}/${action}`, {
        token: given.token,
        headers: { 'content-type': type, 'content-length': '0' },
      })
      return answer.status
    }
    expect([await ask('start'), await ask('stop')]).toEqual([409, 202]) // there is nothing to play yet
  },
)

test.each(['page=0', 'page=x', 'per_page=101', 'per_page=-1', 'page=1e9', 'sort=id;drop', 'page=1&page=2'])(
  'a list refuses %s',
  async (query) => {
    expect((await given.api.call('GET', `/api/channels?${query}`)).status).toBe(400)
  },
)
