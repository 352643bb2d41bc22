import { expect, test } from '@jest/globals'
import { musicRecord } from './test-api.ts'
import { testChannels } from './test-channels.ts'

const given = testChannels()
const call = (method: string, url: string, body?: object, token = given.token) =>
  given.api.call(method, url, { token, ...(body && { body }) })
const idOf = async (slug: string): Promise<number> => {
  const { body } = await given.api.call('GET', '/api/genres')
  return body.data.find((genre: { slug: string }) => genre.slug === slug).id
}

test('the usual genres are there from the start, and an admin makes and deletes others', async () => {
  const first = await given.api.call('GET', '/api/genres')
  expect([first.status, first.body.total]).toEqual([200, 15])
  expect(first.body.data[0]).toEqual({ id: expect.any(Number), name: 'Blues', slug: 'blues' })
  expect((await call('POST', '/api/genres', { name: 'Polka' })).status).toBe(403)
  const { token } = await given.api.user('admin')
  const made = await call('POST', '/api/genres', { name: 'Polka & Waltz' }, token)
  expect([made.status, made.body.slug]).toEqual([201, 'polka-waltz'])
  for (const taken of [{ name: 'Polka & Waltz', slug: 'other' }, { name: 'Polka, Waltz' }])
    expect((await call('POST', '/api/genres', taken, token)).status).toBe(409)
  expect((await call('POST', '/api/genres', { name: '漢字' }, token)).body.message).toContain('slug')
  expect((await call('DELETE', `/api/genres/${made.body.id}`, undefined, token)).status).toBe(204)
  expect((await call('DELETE', `/api/genres/${made.body.id}`, undefined, token)).status).toBe(404)
  expect((await call('DELETE', '/api/genres/x', undefined, token)).status).toBe(400)
})

test('a channel gets and loses genres, each once, and Icecast is told of them', async () => {
  const { id } = await given.withMusic()
  const [jazz, soul] = [await idOf('jazz'), await idOf('soul')]
  await call('POST', `/api/channels/${id}/stream/start`)
  const commands = async () =>
    (await given.api.query<{ payload: { genre: string } }>('SELECT payload FROM outbox WHERE key = $1 ORDER BY id', [id])).map(
      ({ payload }) => payload.genre,
    )
  const attached = await call('POST', `/api/channels/${id}/genres`, { genre_ids: [soul, jazz, soul] })
  expect(attached).toMatchObject({ status: 200, body: { channel: { genre_ids: [jazz, soul], genre: 'Jazz, Soul' } } })
  expect(await commands()).toEqual(['', 'Jazz, Soul'])
  await call('POST', `/api/channels/${id}/genres`, { genre_ids: [jazz] })
  expect((await commands()).length).toBe(2) // nothing new
  const detached = await call('DELETE', `/api/channels/${id}/genres`, { genre_ids: [jazz] })
  expect(detached.body).toMatchObject({ message: 'Genres detached successfully', channel: { genre_ids: [soul] } })
  const all = await call('PUT', `/api/channels/${id}`, { genre_ids: [jazz], name: 'Renamed' })
  expect(all.body).toMatchObject({ genre_ids: [jazz], name: 'Renamed' })
  expect(await call('PATCH', `/api/channels/${id}`, { genre: 'Soul' })).toMatchObject({
    status: 200,
    body: { genre_ids: [soul] },
  })
  expect((await call('PUT', `/api/channels/${id}`, { genre: 'Nonsense' })).body).toMatchObject({ error: 'UNPROCESSABLE' })
  expect((await call('POST', `/api/channels/${id}/genres`, { genre_ids: [999_999] })).body).toMatchObject({
    error: 'NOT_FOUND',
    details: { genre_ids: [999_999] },
  })
  for (const nonsense of [[], ['1'], [0], [1.5], [2 ** 31], Array.from({ length: 11 }, (_, index) => index + 1), 'x'])
    expect((await call('POST', `/api/channels/${id}/genres`, { genre_ids: nonsense })).status).toBe(400)
  const shown = (await call('GET', `/api/channels/${id}`)).body
  const { name, description, genre, genre_ids } = shown
  const back = await call('PUT', `/api/channels/${id}`, { name, description, genre, genre_ids })
  expect({ ...back.body, updated_at: '' }).toEqual({ ...shown, updated_at: '' })
})

test('the list is filtered by genre: by slug, name or id', async () => {
  const folk = await idOf('folk')
  const { id } = await given.channel({ genre_ids: [folk, await idOf('metal')] })
  const other = await given.channel({ genre: 'Folk' })
  await given.channel({ genre: 'Pop' })
  for (const filter of ['folk', 'Folk', String(folk)]) {
    const { body } = await given.api.call('GET', `/api/channels?genre=${filter}`)
    expect(body.data.map((channel: { id: string }) => channel.id)).toEqual([other.id, id])
  }
  expect((await given.api.call('GET', '/api/channels?genre=none')).body).toMatchObject({ data: [], total: 0 })
  expect((await given.api.call('GET', '/api/channels?search=METAL')).body.total).toBe(1)
})

test('a piece gets and loses genres, by its owner alone', async () => {
  const media = await given.api.stores.media.add(musicRecord(given.userId))
  const jazz = await idOf('jazz')
  const url = `/api/media/${media.id}/genres`
  expect((await call('POST', url, { genre_ids: [jazz, jazz] })).body).toMatchObject({
    media: { id: media.id },
    genre_ids: [jazz],
  })
  expect((await call('POST', url, { genre_ids: [jazz] })).status).toBe(200)
  expect((await call('POST', url, { genre_ids: [jazz] }, (await given.api.user('dj')).token)).status).toBe(404)
  expect((await call('DELETE', url, { genre_ids: [jazz] })).body).toMatchObject({ genre_ids: [] })
})
